"""CloudEvents 1.0 over HTTP: structured, in batches, and binary with `ce-` headers.

`type` says what `data` is:

| type | data |
| --- | --- |
| `tokenweir.answer.<vendor>`, `tokenweir.answer.<vendor>.<surface>` | a vendor's raw answer |
| `tokenweir.record.<format>` | another tool's record |
| any other, by custom `tokenweir.usage` | one usage event, or an array of them |

The CloudEvent's `id`, `source` and `time` fill in for what the data does not say, so that one that is delivered
again counts once: the specification has `source` + `id` name a distinct event.
Source: CloudEvents 1.0.2, core specification, HTTP protocol binding (percent-encoded header values) and JSON format.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from producers.gateway.formats.answers import answer_outcome
from producers.gateway.formats.events import EVENT_SCHEMA, event_outcome
from producers.gateway.formats.records import record_outcome
from producers.gateway.formats.registry import gateway_format
from producers.gateway.outcomes import Arrived, Outcome
from producers.gateway.pieces import decode_json, members_of, pieces_of
from producers.records import RecordReader
from tokenweir.errors import RejectedInput, WrongCall

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
_ANSWER: Final = "tokenweir.answer."
_RECORD: Final = "tokenweir.record."
_CLOUD_EVENT: Final = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string", "examples": ["tokenweir.usage", "tokenweir.answer.openai"]},
        "time": {"type": "string", "format": "date-time"},
        "data": {"oneOf": [EVENT_SCHEMA, {"type": "object"}]},
        "data_base64": {"type": "string"},
    },
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a CloudEvent says around its data. time: as it was sent, empty where it says none."""

    id: str
    source: str
    type: str
    time: str

    @property
    def own_id(self) -> str:
        """The name of a call whose data has no id."""
        return f"{self.source}:{self.id}"

    def moment(self) -> datetime | None:
        """`time` in UTC. Raises RejectedInput."""
        if not self.time:
            return None
        try:
            found = datetime.fromisoformat(self.time)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise RejectedInput("implausible_time", "time is not a time", field="time") from None


@gateway_format(
    "cloudevents",
    "/v1/events",
    content_types=frozenset({STRUCTURED, BATCH}),
    summary="CloudEvents",
    description="Structured or in batches; `data` is a usage event unless `type` says otherwise.",
    schema={"oneOf": [_CLOUD_EVENT, {"type": "array", "items": _CLOUD_EVENT}]},
)
def read(arrived: Arrived) -> Iterable[Outcome]:
    """Every CloudEvent of the body."""
    readers: dict[str, RecordReader] = {}
    number = 0
    for _, piece in pieces_of(arrived.body, "application/json"):
        try:
            members = members_of(piece)
            envelope = Envelope(*(_attribute(members, name) for name in ("id", "source", "type", "time")))
            _check(envelope, _attribute(members, "specversion"))
            data = _data(members)
        except RejectedInput as refusal:
            yield Outcome(number=number, refusal=refusal, piece=piece, size_bytes=len(piece))
            number += 1
            continue
        for outcome in _outcomes(arrived, number, envelope, data, readers):
            yield outcome
            number = outcome.number + 1


@gateway_format(
    "cloudevents",
    "/v1/events",
    content_types=frozenset({"application/json"}),
    takes_unstated=True,
    takes=lambda headers: "ce-specversion" in headers,
    summary="A CloudEvent in binary mode",
    description="Its attributes are `ce-` headers, the body is its data.",
    schema=EVENT_SCHEMA,
)
def read_binary(arrived: Arrived) -> Iterable[Outcome]:
    """The one CloudEvent of the request."""
    headers = arrived.headers
    envelope = Envelope(
        *(unquote(headers.get(f"ce-{name}", "")) for name in ("id", "source", "type", "time"))
    )
    try:
        _check(envelope, headers.get("ce-specversion", ""))
    except RejectedInput as refusal:
        return [Outcome(number=0, refusal=refusal, piece=arrived.body, size_bytes=len(arrived.body))]
    return _outcomes(arrived, 0, envelope, arrived.body, {})


def _outcomes(
    arrived: Arrived, number: int, envelope: Envelope, data: bytes, readers: dict[str, RecordReader]
) -> Iterator[Outcome]:
    try:
        if envelope.type.startswith(_ANSWER):
            vendor, _, surface = envelope.type[len(_ANSWER) :].partition(".")
            yield answer_outcome(
                arrived,
                number,
                data,
                vendor,
                surface or None,
                time=envelope.moment(),
                own_id=envelope.own_id,
            )
        elif envelope.type.startswith(_RECORD):
            name = envelope.type[len(_RECORD) :]
            yield record_outcome(
                arrived, number, decode_json(data), data, name, readers, own_id=envelope.own_id
            )
        else:
            yield from _native(arrived, number, envelope, data)
    except WrongCall:
        refusal = RejectedInput(
            "out_of_range",
            "type names a vendor, a surface or a format that has no reader",
            field="type",
            hint="Use tokenweir.usage, tokenweir.answer.<vendor> or tokenweir.record.<format>",
        )
        yield Outcome(number=number, refusal=refusal, piece=data, size_bytes=len(data))
    except RejectedInput as refusal:
        yield Outcome(number=number, refusal=refusal, piece=data, size_bytes=len(data))


def _native(arrived: Arrived, number: int, envelope: Envelope, data: bytes) -> Iterator[Outcome]:
    is_array = data.lstrip()[:1] == b"["
    for position, piece in pieces_of(data, "application/json"):
        own_id = f"{envelope.own_id}/{position}" if is_array else envelope.own_id
        yield event_outcome(number + position, _filled(piece, envelope, own_id), arrived.now)


def _filled(piece: bytes, envelope: Envelope, own_id: str) -> bytes:
    """The piece with the CloudEvent's attributes before its own members: of a name given twice the last counts."""
    start = piece.lstrip()
    if start[:1] != b"{":
        return piece
    said = {"id": own_id, "source": envelope.source} | ({"time": envelope.time} if envelope.time else {})
    rest = start[1:].lstrip()
    return json.dumps(said).encode()[:-1] + (b"" if rest[:1] == b"}" else b",") + rest


def _check(envelope: Envelope, specversion: str) -> None:
    if not specversion.startswith("1."):
        raise RejectedInput(
            "wrong_schema_version", "specversion is missing or is not 1.0", field="specversion"
        )
    for name in ("id", "source", "type"):
        if not getattr(envelope, name):
            raise RejectedInput("missing_field", f"the CloudEvent's {name} is missing", field=name)


def _attribute(members: dict[str, bytes], name: str) -> str:
    value: Any = decode_json(members.get(name, b'""'))
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RejectedInput("wrong_type", f"the CloudEvent's {name} is not a string", field=name)
    return value


def _data(members: dict[str, bytes]) -> bytes:
    packed = members.get("data_base64")
    if packed is not None:
        try:
            return base64.b64decode(str(decode_json(packed)), validate=True)
        except (binascii.Error, ValueError):
            raise RejectedInput("wrong_type", "data_base64 is not base64", field="data_base64") from None
    data = members.get("data", b"")
    if data[:1] == b'"':  # JSON that its sender put in as text
        return str(decode_json(data)).encode(errors="surrogatepass")
    if not data:
        raise RejectedInput("missing_field", "the CloudEvent has no data", field="data")
    return data
