"""Prints the part of requirements.lock that some extras need, hashes included: what goes into the image.

The lock holds everything, the test tools and the embedded engine too. Which entry belongs to which is in its own
`# via` notes: an entry is kept when one of the extras names it, or when a kept entry is among its `via`.
Needs nothing but Python. Run as `python runtime_requirements.py PYPROJECT LOCK EXTRA…`.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def runtime_requirements(project: dict[str, Any], lock: str, extras: Iterable[str]) -> str:
    """The lock's entries for the project's own dependencies and those of `extras`, in the lock's order.

    Raises KeyError for an extra that the project has not, ValueError for a dependency that the lock has not.
    """
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    needed_by = {_name(entry): _vias(entry) for entry in entries}
    kept = _wanted(project, extras)
    missing = sorted(kept - needed_by.keys())
    if missing:
        raise ValueError(f"the lock lacks {', '.join(missing)}; write it anew with `make lock`")
    while True:
        more = {name for name, vias in needed_by.items() if name not in kept and vias & kept}
        if not more:
            return "\n".join(entry for entry in entries if _name(entry) in kept) + "\n"
        kept |= more


def _wanted(project: dict[str, Any], extras: Iterable[str]) -> set[str]:
    optional = project["project"]["optional-dependencies"]
    own = project["project"]["name"]
    waiting, seen, wanted = list(extras), set[str](), set[str]()
    requirements = list(project["project"]["dependencies"])
    while waiting:
        extra = waiting.pop()
        if extra not in seen:
            seen.add(extra)
            requirements += optional[extra]
            for requirement in optional[extra]:
                if _name(requirement) == own:
                    waiting += re.findall(r"[\w-]+", requirement.partition("[")[2].partition("]")[0])
    wanted.update(_name(requirement) for requirement in requirements)
    wanted.discard(own)
    return wanted


def _vias(entry: str) -> set[str]:
    _, _, notes = entry.partition("# via")
    return {_name(line.strip("# ")) for line in notes.splitlines() if line.strip("# ") and "(" not in line}


def _name(text: str) -> str:
    found = _NAME.match(text.strip())
    if found is None:
        raise ValueError(f"no package name in {text[:60]!r}")
    return re.sub(r"[-_.]+", "-", found.group()).lower()


if __name__ == "__main__":
    pyproject, lock_file, *names = sys.argv[1:]
    chosen = tomllib.loads(Path(pyproject).read_text(encoding="utf-8"))
    sys.stdout.write(runtime_requirements(chosen, Path(lock_file).read_text(encoding="utf-8"), names))
