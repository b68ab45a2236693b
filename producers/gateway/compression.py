"""Unpacking gzip and zstd within bounds.

Invariant: whatever a body claims, no more than the given number of bytes of it is ever unpacked.
A server that unpacks bodies by itself hands over plain ones; so a body is judged by how it begins, not by its header.
"""

import zlib
from typing import Final

from cramjam import DecompressionError, zstd

from producers.gateway.refusals import RequestRefused, too_large

_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_WINDOW_BITS_GZIP: Final = 31
_FULL: Final = "failed to write whole buffer"
"""What cramjam says when the unpacked body does not fit."""


def decoded(body: bytes, max_bytes: int) -> bytes:
    """The body unpacked; one that is not packed as it is.

    Raises RequestRefused: 413 past `max_bytes`, 400 where it is broken or cut off.
    """
    if body.startswith(_GZIP_MAGIC):
        return _gunzipped(body, max_bytes)
    if body.startswith(_ZSTD_MAGIC):
        return _unzstd(body, max_bytes)
    return body


def _gunzipped(body: bytes, max_bytes: int) -> bytes:
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
            raise too_large(max_bytes)
        if not member.eof:
            raise RequestRefused(400, "the gzip body is cut off", hint="Send it whole")
        pieces.append(piece)
        rest = member.unused_data
    return b"".join(pieces)


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    # Into a buffer of fixed size: cramjam's other ways unpack everything first, and 1 KiB can be 32 MiB.
    buffer = bytearray(max_bytes + 1)
    try:
        size = zstd.decompress_into(body, buffer)
    except DecompressionError as error:
        if _FULL in str(error):
            raise too_large(max_bytes) from None
        raise RequestRefused(400, "the zstd body is broken or cut off", hint="Send it whole") from error
    if size > max_bytes:
        raise too_large(max_bytes)
    return bytes(memoryview(buffer)[:size])
