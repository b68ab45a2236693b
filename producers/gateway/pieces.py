"""A body in pieces, and what is bounded about them. One piece is one event, answer or record as it was sent.

Invariant: what costs much memory or time in proportion to its bytes is refused before it is decoded: a body of many
more values than bytes of text would need, and a body of very many pieces.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from producers.gateway.refusals import RequestRefused
from tokenweir.errors import RejectedInput

LINE_TYPES: Final = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
    }
)
MAX_PIECES: Final = 250_000
"""Of one body. A body of the usual largest size has no room for so many events."""

_LEAST_MAX_VALUES: Final = 2_000_000
_BYTES_A_VALUE: Final = 8
"""Usage in JSON takes some twenty bytes a value. A value in memory takes about sixty, however short it is written."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

# Numbers are only passed over here: one of a million digits is its own event's fault, not its neighbours'.
_DECODER: Final = json.JSONDecoder(strict=False, parse_int=lambda _: 0, parse_float=lambda _: 0)


def check_values(body: bytes, max_body_bytes: int) -> None:
    """Raises RequestRefused (413) for JSON of absurdly many values: `[[],[],…` takes twenty times its size."""
    if body.count(b",") + body.count(b"[") + body.count(b"{") > max(
        _LEAST_MAX_VALUES, max_body_bytes // _BYTES_A_VALUE
    ):
        raise RequestRefused(413, "the body holds too many values", hint="Send less at a time")


def decode_json(piece: bytes) -> Any:
    """The JSON value of a piece, amounts exact as Decimal. Raises RejectedInput (invalid_json)."""
    try:
        return json.loads(piece, parse_float=Decimal)
    except RecursionError:
        problem = "the JSON is nested too deeply"
    except ValueError:
        problem = "this is not valid JSON in UTF-8"
    raise RejectedInput("invalid_json", problem, hint="Send one JSON object a line, or an array of them")


def json_object(piece: bytes) -> Mapping[str, Any]:
    """The JSON object of a piece, amounts exact as Decimal. Raises RejectedInput."""
    value = decode_json(piece)
    if not isinstance(value, Mapping):
        raise RejectedInput("wrong_type", "this is not a JSON object")
    return value


def pieces_of(body: bytes, content_type: str) -> Iterator[tuple[int, bytes]]:
    """The pieces of a body with their numbers from 0: its lines, an array's items, or the one object.

    What cannot be told apart comes as one piece. Blank lines are passed over but counted. Raises RequestRefused (413)
    past MAX_PIECES, before any of them is read: reading a bad one takes much longer than cutting it out.
    """
    found = list(islice(_pieces(body.removeprefix(_BYTE_ORDER_MARK), content_type), MAX_PIECES + 1))
    if len(found) > MAX_PIECES:
        raise RequestRefused(
            413, f"the body holds more than {MAX_PIECES} pieces", hint="Send fewer at a time"
        )
    return iter(found)


def _pieces(body: bytes, content_type: str) -> Iterator[tuple[int, bytes]]:
    if content_type in LINE_TYPES:
        return _lines(body)
    start = body.lstrip()[:1]
    if start == b"[":
        return _items(body)
    if start == b"{" and _is_lines(body):
        return _lines(body)
    return iter([(0, body.strip())] if start else [])


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    number, position = 0, 0
    while position < len(body):
        end = body.find(b"\n", position)
        if end < 0:
            end = len(body)
        line = body[position:end].strip()
        if line:
            yield number, line
        number += 1
        position = end + 1


def _is_lines(body: bytes) -> bool:
    """Whether a body that begins with an object is several lines of objects and not one object over many lines."""
    if b"\n{" in body:
        return True
    first = body.lstrip().partition(b"\n")[0]
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def _items(body: bytes) -> Iterator[tuple[int, bytes]]:
    # Each item is cut out as it stands, so that its numbers keep every digit. Bytes that are no UTF-8 survive the
    # round trip and spoil only their own item.
    text = body.decode(errors="surrogateescape")
    position = past_blanks(text, text.index("[") + 1)
    number = 0
    while position < len(text) and not (text[position] == "]" and number == 0):
        try:
            _, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        yield number, text[position:end].encode(errors="surrogateescape")
        number += 1
        position = past_blanks(text, end)
        if text[position : position + 1] != ",":
            break
        position = past_blanks(text, position + 1)
    if text[position : position + 1] == "]":
        position = past_blanks(text, position + 1)
        if position == len(text):
            return
    # Where it stops being an array, the rest is one unreadable piece.
    yield number, text[position:].encode(errors="surrogateescape")


def members_of(piece: bytes) -> dict[str, bytes]:
    """The members of a JSON object, each value cut out as it stands. Raises RejectedInput for what is none."""
    json_object(piece)  # from here on the text is known to be one whole object
    text = piece.decode(errors="surrogateescape")
    found: dict[str, bytes] = {}
    position = past_blanks(text, text.index("{") + 1)
    while text[position] != "}":
        name, end = _DECODER.raw_decode(text, position)
        start = past_blanks(text, past_blanks(text, end) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[name] = text[start:end].encode(errors="surrogateescape")
        position = past_blanks(text, end)
        if text[position] == ",":
            position = past_blanks(text, position + 1)
    return found


def past_blanks(text: str, position: int) -> int:
    """The first position from `position` on that is no white space of JSON's."""
    while text[position : position + 1] in (" ", "\t", "\n", "\r"):
        position += 1
    return position
