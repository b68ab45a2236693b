"""A request's body: its bytes within bounds, its form, its pieces. One piece is one event as it was sent.

Invariant: no more than the given number of bytes is ever held of a body, compressed or not.
"""

import asyncio
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from aiohttp import ClientPayloadError, http_exceptions, web

from tokenweir.errors import TokenweirError

READ_TIMEOUT_SECONDS: Final = 30.0

_LINE_TYPES: Final = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
    }
)
_UNSTATED_TYPE: Final = "application/octet-stream"
"""What aiohttp gives where a request states no type."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_WINDOW_BITS_GZIP: Final = 31

# Numbers are only passed over here: one of a million digits is its own event's fault, not its neighbours'.
_DECODER = json.JSONDecoder(strict=False, parse_int=lambda _: 0, parse_float=lambda _: 0)


class RequestRefused(TokenweirError):
    """A request that cannot be taken as a whole. status: HTTP's. stage: for counting."""

    def __init__(self, status: int, message: str, *, hint: str = "", stage: str = "body") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.stage = stage


def check_content(request: web.Request) -> None:
    """Raises RequestRefused (415) for a type or an encoding that is not read here."""
    content_type = request.content_type
    if content_type not in _LINE_TYPES and content_type not in ("application/json", _UNSTATED_TYPE):
        raise RequestRefused(
            415,
            f"the content type {content_type[:100]!r} is not read here",
            hint="Send application/json (an event or an array of events) or application/x-ndjson",
        )
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise RequestRefused(415, "the charset is not UTF-8", hint="Send UTF-8")
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise RequestRefused(
            415, f"the content encoding {encoding[:100]!r} is not read here", hint="Send gzip, or none"
        )


async def read_body(request: web.Request, max_bytes: int, held: Callable[[int], None]) -> bytes:
    """The body as it came. `held` is told of every chunk's bytes and may raise.

    Raises RequestRefused: 413 past `max_bytes`, 408 when it takes too long, 400 when it ends too early.
    """
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                held(len(chunk))
                chunks.append(chunk)
    except TimeoutError:
        raise RequestRefused(
            408,
            f"the body did not arrive within {READ_TIMEOUT_SECONDS:g} seconds",
            hint="Send smaller bodies",
        ) from None
    except (
        ClientPayloadError,
        ConnectionError,
        http_exceptions.HttpProcessingError,
        web.RequestPayloadError,
    ) as error:
        raise RequestRefused(400, "the body ended early or is not in the encoding it states") from error
    return b"".join(chunks)


def decoded(body: bytes, max_bytes: int) -> bytes:
    """The body without gzip. A server that unpacks bodies by itself hands over plain ones, which stay as they are.

    Raises RequestRefused: 413 past `max_bytes`, 400 where it is broken or cut off.
    """
    if not body.startswith(_GZIP_MAGIC):
        return body
    pieces: list[bytes] = []
    size = 0
    rest = body
    while rest:
        member = zlib.decompressobj(_WINDOW_BITS_GZIP)
        try:
            piece = member.decompress(rest, max_bytes - size + 1)
        except zlib.error as error:
            raise RequestRefused(400, "the body is not the gzip that it states to be") from error
        size += len(piece)
        if size > max_bytes:
            raise _too_large(max_bytes)
        if not member.eof:
            raise RequestRefused(400, "the gzip body is cut off", hint="Send it whole")
        pieces.append(piece)
        rest = member.unused_data
    return b"".join(pieces)


def pieces_of(body: bytes, content_type: str) -> Iterator[tuple[int, bytes]]:
    """The events of a body with their numbers from 0: its lines, an array's items, or the one object.

    What cannot be told apart comes as one piece. Blank lines are passed over but counted.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if content_type in _LINE_TYPES:
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
    position = _past_blanks(text, text.index("[") + 1)
    number = 0
    while position < len(text) and not (text[position] == "]" and number == 0):
        try:
            _, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        yield number, text[position:end].encode(errors="surrogateescape")
        number += 1
        position = _past_blanks(text, end)
        if text[position : position + 1] != ",":
            break
        position = _past_blanks(text, position + 1)
    if text[position : position + 1] == "]":
        position = _past_blanks(text, position + 1)
        if position == len(text):
            return
    # Where it stops being an array, the rest is one unreadable piece.
    yield number, text[position:].encode(errors="surrogateescape")


def _past_blanks(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t", "\n", "\r"):
        position += 1
    return position


def _too_large(max_bytes: int) -> RequestRefused:
    return RequestRefused(
        413,
        f"the body has more than {max_bytes} bytes",
        hint="Send fewer events at a time, or raise gateway.max_body_bytes",
    )
