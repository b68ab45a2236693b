"""Names for billed calls, so that one call has one name whoever reports it and however often.

A vendor's response id is the best name: an SDK and a gateway that saw the same call agree on it. Where there is
none, a row of a file is named by what it says and where it stands, so that reading it again gives the same name.
Only where input cannot be read again is a name made up.
"""

import hashlib
import os
import time
from uuid import UUID


def vendor_event_id(vendor: str, response_id: str) -> str:
    """`<vendor>:<response id>`, the name on which two reporters of one call agree."""
    return f"{vendor}:{response_id}"


def row_event_id(source: str, content: bytes, occurrence: int) -> str:
    """The name of a row that has no id of its own: the same at every re-reading.

    source: what the row belongs to, e.g. the name that the user gives the log (not its path: a log that moves
    or rotates keeps its rows' names). content: the row's bytes as they stand in the file, without line end.
    occurrence: how many rows of the same bytes stood before it (0 for the first), so that two equal rows are two
    calls.
    """
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return f"{source}:{digest}-{occurrence}" if occurrence else f"{source}:{digest}"


def new_event_id(source: str) -> str:
    """`<source>:<UUIDv7>`, for a call that nobody can report a second time."""
    return f"{source}:{new_uuid7()}"


def new_uuid7() -> UUID:
    """A UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)
