"""Other tools' records: their webhooks and exports, by `producers.records`.

The format stands in the address; without one it is told from each record. A page of an API (`{"data": [...]}`) is
read record by record.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from producers import records
from producers.gateway.formats.registry import gateway_format
from producers.gateway.outcomes import Arrived, Outcome
from producers.gateway.pieces import LINE_TYPES, decode_json, pieces_of
from producers.gateway.refusals import RequestRefused
from producers.records import RecordReader
from producers.vendors.answer import Answer
from tokenweir.errors import RejectedInput

_SCHEMA: Final = {"type": "object", "description": "One record, an array of records, or one record a line."}
_TYPES: Final = LINE_TYPES | {"application/json"}
_WRAPPERS: Final = ("data", "records", "items", "results", "logs", "events")
_NAMED: Final = {
    "litellm": "LiteLLM's generic callback (StandardLoggingPayload)",
    "helicone": "Helicone's webhook and export",
    "portkey": "Portkey's log export",
    "langfuse": "Langfuse's observations",
}


@gateway_format(
    "records",
    "/v1/records",
    "/v1/records/{format}",
    content_types=_TYPES,
    summary="Another tool's records",
    description="The records of gateways, cloud logs and agents' sessions; without a format it is told from each.",
    schema=_SCHEMA,
    parameters={"format": "Of the record: litellm, helicone, portkey, langfuse, bedrock_invocation_log…"},
)
def read(arrived: Arrived) -> Iterable[Outcome]:
    """Every piece as a record of the format in the address."""
    return read_as(arrived, arrived.path.get("format", ""))


def _register(name: str, summary: str) -> None:
    @gateway_format(name, f"/v1/{name}", content_types=_TYPES, summary=summary, schema=_SCHEMA)
    def read_named(arrived: Arrived) -> Iterable[Outcome]:
        return read_as(arrived, name)


for _name, _summary in _NAMED.items():
    _register(_name, _summary)


def read_as(arrived: Arrived, format_name: str) -> Iterator[Outcome]:
    """Every piece as a record of this format; "" tells the format from each."""
    if format_name and format_name not in records.formats():
        raise RequestRefused(
            404,
            "no reader for records of this format",
            hint=f"Known are {', '.join(records.formats())}",
            stage="address",
        )
    readers: dict[str, RecordReader] = {}
    number = 0
    for _, piece in pieces_of(arrived.body, arrived.content_type):
        try:
            record = decode_json(piece)
            found = _unwrapped(record, format_name)
        except RejectedInput as refusal:
            yield Outcome(number=number, refusal=refusal, piece=piece, size_bytes=len(piece))
            number += 1
            continue
        for one in found:
            own_piece = piece if one is record else json.dumps(one, default=str).encode()
            yield record_outcome(arrived, number, one, own_piece, format_name, readers)
            number += 1


def record_outcome(
    arrived: Arrived,
    number: int,
    record: Any,
    piece: bytes,
    format_name: str,
    readers: dict[str, RecordReader],
    *,
    own_id: str = "",
) -> Outcome:
    """One record's events, or why there are none. readers: those that this request has made so far, by format."""
    try:
        name = _format_of(record, format_name)
        reader = readers.setdefault(name, records.new_reader(name))
        context = arrived.record_context(name, number, own_id=own_id)
        events = tuple(reader(Answer(record), context))
    except RejectedInput as refusal:
        return Outcome(number=number, refusal=refusal, piece=piece, size_bytes=len(piece))
    return Outcome(number=number, events=events, ignored="" if events else "no_call")


def _format_of(record: Any, format_name: str) -> str:
    if not isinstance(record, Mapping):
        raise RejectedInput("wrong_type", "the record is not a JSON object")
    name = format_name or records.detect(record)
    if not name:
        raise RejectedInput(
            "missing_field",
            "this is no record of a tool that is known",
            hint="Name its format in the address: /v1/records/litellm",
        )
    return name


def _unwrapped(record: Any, format_name: str) -> list[Any]:
    if not isinstance(record, Mapping) or records.detect(record):
        return [record]
    for name in _WRAPPERS:
        inner = record.get(name)
        if not isinstance(inner, list) or not inner or not isinstance(inner[0], Mapping):
            continue
        if not format_name or records.detect(inner[0]) == format_name:
            return inner
    return [record]
