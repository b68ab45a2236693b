"""Usage on the wire: newline-delimited JSON, one to some thousand events a message (DESIGN: one contract).

A Kafka value is NDJSON; headers state content type and schema version; the key is the workload, so that a
workload's events stay in order and a big tenant spreads over partitions.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from tokenweir.money import decimal_string, picos_from_decimal
from tokenweir.usage.event import SCHEMA_VERSION, UsageEvent
from tokenweir.usage.metered import MeteredEvent

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


_DEFAULTS: Final = {
    name: field.get_default(call_default_factory=True)
    for name, field in MeteredEvent.model_fields.items()
    if not field.is_required()
}


def encode_metered(fields: Mapping[str, Any]) -> bytes:
    """One line of a metered event, given by its fields, without its line end.

    As the meter writes it: fields at their default are left out, amounts are plain decimal strings of at most twelve
    decimals, times are UTC.
    """
    stated = {
        name: value if isinstance(value, bool | int | float) else _on_the_wire(value)
        for name, value in fields.items()
        if name not in _DEFAULTS or value != _DEFAULTS[name]
    }
    return json.dumps(stated, ensure_ascii=False, separators=(",", ":")).encode()


def _on_the_wire(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_string(picos_from_decimal(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: _on_the_wire(item) for key, item in value.items()}
    return value


def schema_version_of(headers: Sequence[tuple[str, bytes | None]] | None) -> str:
    """The schema version that the headers state; "1" where they state none, as it is for other producers."""
    for name, value in headers or ():
        if name == HEADER_SCHEMA and value is not None:
            return value.decode(errors="replace")
    return str(SCHEMA_VERSION)
