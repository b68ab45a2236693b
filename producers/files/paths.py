"""Which files a person means: files, directories with all that is in them, and patterns with `*`, `?`, `[…]`, `**`.

Hidden files and directories are passed over within a directory, and are found where a path or pattern names them.
"""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tokenweir.errors import WrongCall


class Found(NamedTuple):
    """A file. named: whether the person named it itself, rather than its directory or a pattern."""

    path: Path
    named: bool


def files_at(paths: Iterable[str | Path]) -> list[Found]:
    """The files at `paths`, each once, those of a directory or a pattern by name.

    Raises WrongCall for a path that is not there, and for a directory or a pattern without any file.
    """
    found: dict[Path, Found] = {}
    given = [Path(path).expanduser() for path in paths]
    if not given:
        raise WrongCall("no file to read", hint="Give one path or more")
    for path in given:
        if path.is_dir():
            inside = [Found(file, False) for file in files_in(path)]
            if not inside:
                raise WrongCall(f"the directory {path} holds no file", hint="Check the path")
        elif path.exists():
            inside = [Found(path, True)]
        elif glob.has_magic(str(path)):
            inside = [Found(file, False) for file in files_matching(str(path))]
            if not inside:
                raise WrongCall(
                    f"no file matches {path}", hint="Check the pattern; ** reaches into directories"
                )
        else:
            raise WrongCall(f"no file {path}", hint="Check the path")
        for one in inside:
            found.setdefault(one.path, one)
    return list(found.values())


def files_in(directory: Path) -> Iterator[Path]:
    """All files below `directory` that are not hidden, by name. What cannot be entered is passed over."""
    for folder, inner, names in os.walk(directory):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path


def files_matching(pattern: str) -> Iterator[Path]:
    """All files that a pattern matches, by name; of a directory that it matches, all that is in it."""
    for name in sorted(glob.iglob(pattern, recursive=True)):
        path = Path(name)
        if path.is_dir():
            if not pattern.endswith("**"):
                yield from files_in(path)
        elif path.is_file():
            yield path
