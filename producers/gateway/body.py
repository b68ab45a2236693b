"""A request's body: its bytes within bounds, as they came.

Invariant: no more than the given number of bytes is ever held of a body.
"""

import asyncio
from collections.abc import Callable, Collection

from aiohttp import ClientPayloadError, hdrs, http_exceptions, web

from producers.gateway.refusals import RequestRefused, too_large

UNSTATED_TYPE = "application/octet-stream"
"""What aiohttp gives where a request states no type."""

_ENCODINGS = ("", "identity", "gzip", "x-gzip", "zstd")


def check_encoding(request: web.Request) -> None:
    """Raises RequestRefused (415) for a charset or a content encoding that is not read here."""
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise RequestRefused(415, "the charset is not UTF-8", hint="Send UTF-8")
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()
    if encoding not in _ENCODINGS:
        raise RequestRefused(
            415, f"the content encoding {encoding[:100]!r} is not read here", hint="Send gzip, zstd or none"
        )


def wrong_type(content_type: str, known: Collection[str]) -> RequestRefused:
    """The refusal of a content type where only `known` are read."""
    return RequestRefused(
        415,
        f"the content type {content_type[:100]!r} is not read here",
        hint=f"Send {', '.join(sorted(known))}",
    )


async def read_body(
    request: web.Request, max_bytes: int, timeout_seconds: float, held: Callable[[int], None]
) -> bytes:
    """The body as it came. `held` is told of every chunk's bytes and may raise.

    Raises RequestRefused: 413 past `max_bytes`, 408 when it takes too long, 400 when it ends too early.
    """
    if (request.content_length or 0) > max_bytes:
        raise too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_seconds):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > max_bytes:
                    raise too_large(max_bytes)
                held(len(chunk))
                chunks.append(chunk)
    except TimeoutError:
        raise RequestRefused(
            408,
            f"the body did not arrive within {timeout_seconds:g} seconds",
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
