"""Usage on the wire: newline-delimited JSON, one to some thousand events a message (DESIGN: one contract).

A Kafka value is NDJSON; headers state content type and schema version; the key is the workload, so that a
workload's events stay in order and a big tenant spreads over partitions.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tokenweir.usage.event import SCHEMA_VERSION, UsageEvent

CONTENT_TYPE: Final = "application/x-ndjson"
HEADER_CONTENT_TYPE: Final = "content-type"
HEADER_SCHEMA: Final = "tokenweir-schema"
HEADERS: Final[tuple[tuple[str, bytes], ...]] = (
    (HEADER_CONTENT_TYPE, CONTENT_TYPE.encode()),
    (HEADER_SCHEMA, str(SCHEMA_VERSION).encode()),
)

MAX_BATCH_EVENTS: Final = 500
"""Events a message, as our own producers send them. A reader takes any number."""

MAX_EVENT_BYTES: Final = 64 * 1024
"""One event's line. Thirty-two tags of full length and every other field full stay below."""

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""One message. Topics are created with room for it."""


def workload_key(tenant: str, team: str, project: str, service: str) -> bytes:
    """The Kafka key of a workload: its four names, joined by the unit separator, which no name may hold."""
    return "\x1f".join((tenant, team, project, service)).encode()


def encode_event(event: UsageEvent) -> bytes:
    """One line without its line end; fields at their default are left out."""
    return event.model_dump_json(exclude_defaults=True).encode()


def encode_batch(events: Iterable[UsageEvent]) -> bytes:
    """A message value."""
    return b"\n".join(encode_event(event) for event in events)


def schema_version_of(headers: Sequence[tuple[str, bytes | None]] | None) -> str:
    """The schema version that the headers state; "1" where they state none, as it is for other producers."""
    for name, value in headers or ():
        if name == HEADER_SCHEMA and value is not None:
            return value.decode(errors="replace")
    return str(SCHEMA_VERSION)
