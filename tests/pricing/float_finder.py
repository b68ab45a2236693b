"""Floats within a value: in every field of every object that can be reached from it."""

from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from re import Pattern
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

_LEAVES = (
    type(None),
    bool,
    int,
    str,
    bytes,
    Decimal,
    date,
    time,
    timedelta,
    Path,
    Pattern,
    type,
    ModuleType,
    FunctionType,
    BuiltinFunctionType,
    MethodType,
)


def floats_in(value: object) -> list[str]:
    """Where in `value` floats are: a path to each, such as `.cards[0].rates[1].picos`; empty where there are none."""
    found: list[str] = []
    seen: set[int] = set()
    open_ends: list[tuple[str, object]] = [("", value)]
    while open_ends:
        path, each = open_ends.pop()
        if isinstance(each, float):
            found.append(path or "itself")
        elif not isinstance(each, _LEAVES) and id(each) not in seen:
            seen.add(id(each))
            open_ends += ((path + step, inner) for step, inner in _within(each))
    return found


def _within(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield f" key {key!r}", key
            yield f"[{key!r}]", inner
    elif isinstance(value, Fraction):
        yield from ((".numerator", value.numerator), (".denominator", value.denominator))
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for name, inner in zip(value._fields, value, strict=True):
            yield f".{name}", inner
    elif isinstance(value, list | tuple | set | frozenset):
        for number, inner in enumerate(value):
            yield f"[{number}]", inner
    else:
        slots = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())}
        for name in sorted(slots | getattr(value, "__dict__", {}).keys()):
            if hasattr(value, name):
                yield f".{name}", getattr(value, name)
