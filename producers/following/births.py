"""When a file was born: with its inode it tells a file from a later one that was given the same inode.

Limits: Linux tells it by `statx` alone, which Python offers only from 3.15 on, so it is called in the C library; 0
where the file system or the C library does not tell. Source of the layout: the manual page statx(2) and
`include/uapi/linux/stat.h`, where it is a stable interface.
"""

import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

_AT_FDCWD: Final = -100
_BASIC_AND_BIRTH: Final = 0x7FF | 0x800
_BIRTH: Final = 0x800
_SIZE_BYTES: Final = 256
_MASK: Final = struct.Struct("=I")
_INODE: Final = struct.Struct("=Q")
_TIME: Final = struct.Struct("=qI")
_INODE_AT: Final = 32
_BIRTH_AT: Final = 80


def born_ns(path: Path, status: os.stat_result) -> int:
    """Nanoseconds since 1970 at which the file was made; 0 where that cannot be told.

    status: of the same path; where another file is there by now, 0.
    """
    birth_seconds = getattr(status, "st_birthtime", None)
    if birth_seconds is not None:
        return int(birth_seconds * 1_000_000_000)
    if _STATX is None:
        return 0
    found = ctypes.create_string_buffer(_SIZE_BYTES)
    if _STATX(_AT_FDCWD, os.fsencode(path), 0, _BASIC_AND_BIRTH, found) != 0:
        return 0
    (inode,) = _INODE.unpack_from(found, _INODE_AT)
    if not _MASK.unpack_from(found)[0] & _BIRTH or inode != status.st_ino:
        return 0
    seconds, nanoseconds = _TIME.unpack_from(found, _BIRTH_AT)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def _statx() -> "Callable[..., int] | None":
    try:
        function = ctypes.CDLL(None).statx
    except (AttributeError, OSError, TypeError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p]
    function.restype = ctypes.c_int
    found: Callable[..., int] = function
    return found


_STATX: Final = _statx()
