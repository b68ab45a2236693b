"""What differs between two JSON documents, in lines that a person can read."""

import difflib
from collections.abc import Iterator
from typing import Any, Final

_NAMES: Final = ("title", "name", "refId", "uid")


def pruned(there: Any, wanted: Any) -> Any:
    """`there` without the keys that `wanted` says nothing of: what a server adds by itself is no difference."""
    if isinstance(there, dict) and isinstance(wanted, dict):
        return {key: pruned(there[key], wanted[key]) for key in wanted if key in there}
    if isinstance(there, list) and isinstance(wanted, list) and len(there) == len(wanted):
        return [pruned(one, other) for one, other in zip(there, wanted, strict=True)]
    return there


def difference(there: Any, wanted: Any) -> list[str]:
    """Lines of `there` with a minus, of `wanted` with a plus, each with its path; none where they are the same."""
    if there == wanted:
        return []
    lines = difflib.unified_diff(list(_lines(there, "")), list(_lines(wanted, "")), n=0, lineterm="")
    return [f"{line[0]} {line[1:]}" for line in list(lines)[2:] if line[0] in "+-"]


def _lines(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key in value:
            yield from _lines(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _lines(each, f"{path}[{_label(each, place)}]")
    elif isinstance(value, str) and "\n" in value:
        yield from (f"{path}: {line}" for line in value.split("\n"))
    else:
        yield f"{path}: {value}"


def _label(each: Any, place: int) -> str:
    if isinstance(each, dict):
        for name in _NAMES:
            if isinstance(each.get(name), str):
                return str(each[name])
    return str(place)
