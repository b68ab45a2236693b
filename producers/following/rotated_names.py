"""What a file's name tells of its place in a log: `app.log` is the log itself, `app.log.2.gz` its last file but one."""

import re
from pathlib import Path
from typing import Final

from producers.files.row_names import source_of

_NUMBER: Final = re.compile(r"\.(\d{1,3})(?:\.(?:gz|zstd?))?$")


def home_of(path: Path) -> tuple[str, str]:
    """By which a log is known: its directory, and its name without what rotation adds."""
    return str(path.parent), source_of(path)


def is_live_name(path: Path) -> bool:
    """Whether rotation and compression have added nothing to the name."""
    return source_of(path) == f"file:{path.name}"[:256]


def rotation_number(path: Path) -> int | None:
    """0 of the log itself, 1 of `app.log.1` and `app.log.1.gz`; None of other names, as those with a date."""
    if is_live_name(path):
        return 0
    found = _NUMBER.search(path.name)
    return int(found[1]) if found else None


def goes_back(old: Path, new: Path) -> bool:
    """Whether a file would have moved against rotation, which only counts up: from `app.log.1` to `app.log`."""
    if home_of(old) != home_of(new) or old == new:
        return False
    if is_live_name(new):
        return True
    before, after = rotation_number(old), rotation_number(new)
    return before is not None and after is not None and after < before


def is_rotation(old: Path, new: Path) -> bool:
    """Whether a file that has moved so was rotated, and not only compressed: from `app.log`, or up from `app.log.1`."""
    if is_live_name(old):
        return True
    before, after = rotation_number(old), rotation_number(new)
    return before is not None and after is not None and before < after
