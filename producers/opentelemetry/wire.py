"""Protobuf's wire format, as far as it takes to cut a large message into the small ones that it repeats.

A request of sixteen megabytes can hold eight million empty spans, which decoded at once take a hundred times their
size. Cut first, no more than one of them is ever decoded at a time.
Source: protobuf.dev, "Encoding"; groups are given up and malformed here.
"""

from collections.abc import Iterator
from typing import Final

from producers.opentelemetry.signals import NotOtlp

_VARINT: Final = 0
_FIXED_64: Final = 1
_LENGTH_DELIMITED: Final = 2
_FIXED_32: Final = 5
_LONGEST_VARINT: Final = 10


def parts(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """The length-delimited fields numbered `wanted` of a message, in order. Raises NotOtlp where it is none."""
    position, end = 0, len(message)
    while position < end:
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise _malformed()
        if kind == _LENGTH_DELIMITED:
            length, position = _varint(message, position)
            if length > end - position:
                raise _malformed()
            if number == wanted:
                yield message[position : position + length]
            position += length
        elif kind == _VARINT:
            _, position = _varint(message, position)
        elif kind in (_FIXED_64, _FIXED_32):
            position += 8 if kind == _FIXED_64 else 4
            if position > end:
                raise _malformed()
        else:
            raise _malformed()


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for index in range(_LONGEST_VARINT):
        if position + index >= len(message):
            raise _malformed()
        byte = message[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise _malformed()


def _malformed() -> NotOtlp:
    return NotOtlp("the body is no whole protobuf message", hint="Send an OTLP export request")
