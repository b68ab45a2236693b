"""What detectors know as bytes: MessagePack, in which integers may be of any size.

MessagePack's integers end at 2^64, in 10^-12 USD some eighteen million dollars. A large company's quarter costs more.
"""

from typing import Any, Final, TypeVar

import msgspec

_INTEGER: Final = 1
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1

Known = TypeVar("Known")


def pack(known: Any) -> bytes:
    """Structs and plain data as bytes."""
    try:
        return msgspec.msgpack.encode(known)
    except OverflowError:
        return msgspec.msgpack.encode(_marked(msgspec.to_builtins(known, builtin_types=(bytes,))))


def unpack(packed: bytes, form: type[Known]) -> Known:
    """What `pack` gave, in a form. Raises msgspec.MsgspecError for other bytes."""
    try:
        return msgspec.msgpack.decode(packed, type=form, ext_hook=_unmarked)
    except msgspec.ValidationError:
        return msgspec.convert(unpack_plain(packed), form, builtin_types=(bytes,))


def unpack_plain(packed: bytes) -> Any:
    """What `pack` gave, as plain data. Raises msgspec.MsgspecError for other bytes."""
    return msgspec.msgpack.decode(packed, ext_hook=_unmarked)


def _marked(plain: Any) -> Any:
    """The same with the integers that are too large for MessagePack as extensions."""
    if isinstance(plain, dict):
        return {_marked(key): _marked(value) for key, value in plain.items()}
    if isinstance(plain, list | tuple):
        return tuple(map(_marked, plain))
    if isinstance(plain, int) and not _SMALLEST <= plain <= _LARGEST:
        return msgspec.msgpack.Ext(_INTEGER, str(plain).encode())
    return plain


def _unmarked(code: int, data: memoryview) -> Any:
    if code != _INTEGER:
        raise msgspec.ValidationError(f"an extension {code} that is not known")
    return int(bytes(data))
