"""Vendors' raw answers, read here by the vendors' own readers.

The vendor stands in the address, and the surface where it is to be named; else it is found. Server-sent events are
one streamed answer, merged as its vendor's reader does.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from producers import vendors
from producers.gateway.formats.registry import gateway_format
from producers.gateway.outcomes import Arrived, Outcome
from producers.gateway.pieces import LINE_TYPES, decode_json, json_object, pieces_of
from producers.gateway.refusals import RequestRefused
from tokenweir.errors import RejectedInput, WrongCall

EVENT_STREAM: Final = "text/event-stream"
_SOURCE: Final = "gateway"


@gateway_format(
    "answers",
    "/v1/answers/{vendor}",
    "/v1/answers/{vendor}/{surface}",
    content_types=LINE_TYPES | {"application/json", EVENT_STREAM},
    summary="A vendor's raw answers",
    description="One answer, an array of answers, one a line, or the server-sent events of one streamed answer. "
    "No more of an answer is needed than its model and usage.",
    schema={"type": "object", "description": "The vendor's answer as it came."},
    parameters={
        "vendor": "Who sends the bill: openai, anthropic, google…",
        "surface": "Which of the vendor's answers it is; found where it is not named.",
    },
)
def read(arrived: Arrived) -> Iterable[Outcome]:
    """Every piece as an answer."""
    vendor, surface = arrived.path["vendor"], arrived.path.get("surface")
    if surface is not None:
        try:
            vendors.surface_named(vendor, surface)
        except WrongCall as error:
            raise RequestRefused(404, error.message, hint=error.hint, stage="address") from error
    if arrived.content_type == EVENT_STREAM:
        yield _stream_outcome(arrived, vendor, surface)
        return
    for number, piece in pieces_of(arrived.body, arrived.content_type):
        yield answer_outcome(arrived, number, piece, vendor, surface)


def answer_outcome(
    arrived: Arrived,
    number: int,
    piece: bytes,
    vendor: str,
    surface: str | None,
    *,
    time: datetime | None = None,
    own_id: str = "",
) -> Outcome:
    """One answer's events, or why there are none. Raises WrongCall for a surface without reader."""
    context = arrived.answer_context(_SOURCE, number, time=time, own_id=own_id)
    try:
        events = vendors.read_calls(vendor, json_object(piece), surface=surface, context=context)
    except RejectedInput as refusal:
        return Outcome(number=number, refusal=refusal, piece=piece, size_bytes=len(piece))
    return Outcome(number=number, events=events)


def _stream_outcome(arrived: Arrived, vendor: str, surface: str | None) -> Outcome:
    context = arrived.answer_context(_SOURCE, 0)
    size = len(arrived.body)
    try:
        chunks = list(_chunks(arrived.body))
        events = vendors.read_stream(vendor, chunks, surface=surface, context=context)
    except RejectedInput as refusal:
        return Outcome(number=0, refusal=refusal, piece=b"", size_bytes=size)
    return Outcome(number=0, events=events)


def _chunks(body: bytes) -> Iterable[Mapping[str, Any]]:
    for line in body.splitlines():
        name, _, data = line.partition(b":")
        if name.strip() != b"data" or data.strip() in (b"", b"[DONE]"):
            continue
        chunk = decode_json(data)
        if isinstance(chunk, Mapping):
            yield chunk
