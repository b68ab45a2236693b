"""Native usage events: one, a JSON array of them, or one a line."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from producers.gateway.formats.registry import gateway_format
from producers.gateway.outcomes import Arrived, Outcome
from producers.gateway.pieces import LINE_TYPES, pieces_of
from tokenweir.errors import RejectedInput
from tokenweir.usage.reading import read_event_line

EVENT_SCHEMA: Final = {"$ref": "#/components/schemas/UsageEvent"}


@gateway_format(
    "events",
    "/v1/events",
    content_types=LINE_TYPES | {"application/json"},
    takes_unstated=True,
    takes=lambda headers: "ce-specversion" not in headers,
    summary="Usage events",
    description="One event, an array of events, or one event a line.",
    schema={"oneOf": [EVENT_SCHEMA, {"type": "array", "items": EVENT_SCHEMA}]},
)
def read(arrived: Arrived) -> Iterable[Outcome]:
    """Every piece as an event."""
    for number, piece in pieces_of(arrived.body, arrived.content_type):
        yield event_outcome(number, piece, arrived.now)


def event_outcome(number: int, piece: bytes, now: datetime) -> Outcome:
    """One event, or why it is none."""
    try:
        event = read_event_line(piece, now=now)
    except RejectedInput as refusal:
        return Outcome(number=number, refusal=refusal, piece=piece, size_bytes=len(piece))
    return Outcome(number=number, events=(event,))
