"""The levels that people own and ask about: which series a group of a minute belongs to."""

from collections.abc import Mapping
from typing import Final

LEVELS: Final = (
    (),
    ("project",),
    ("project", "team"),
    ("project", "team", "service", "environment"),
    ("api_key",),
    ("vendor",),
    ("vendor", "model"),
)
"""The tenant as a whole, then by owner from the widest to the narrowest, by key, and by who sends the bill."""

_NAMED_BY: Final = ("", "project", "team", "service", "api_key", "vendor", "model")
"""By level, the field without which a group does not count in it."""

_NUMBERED: Final = tuple(
    (number, fields, named_by)
    for number, (fields, named_by) in enumerate(zip(LEVELS, _NAMED_BY, strict=True))
)

TENANT: Final = 0
WORKLOAD: Final = 3
API_KEY: Final = 4
OWNED: Final = frozenset((0, 1, 2, 3, 4))
"""Levels whose traffic is somebody's; what a vendor or a model loses may just have gone to another."""

LevelKey = tuple[int, tuple[str, ...]]
"""A number of LEVELS and the values of its fields."""


def level_keys(names: Mapping[str, str]) -> tuple[LevelKey, ...]:
    """All series that a group counts in. Who names no team counts in none, and so with every level."""
    return tuple(
        [
            (number, tuple([names[field] for field in fields]))
            for number, fields, named_by in _NUMBERED
            if not named_by or names[named_by]
        ]
    )


def is_in(names: Mapping[str, str], key: LevelKey) -> bool:
    """Whether a group with these names counts in the series."""
    number, values = key
    return all(names[field] == value for field, value in zip(LEVELS[number], values, strict=True))


def lies_in(inner: LevelKey, outer: LevelKey) -> bool:
    """Whether the inner level is another and lies within the outer, all of whose names it has."""
    if inner == outer:
        return False
    if outer[0] == TENANT:
        return True
    mine, its = scope_of(inner), scope_of(outer)
    return len(its) < len(mine) and its.items() <= mine.items()


def scope_of(key: LevelKey) -> dict[str, str]:
    """The names of the fields and their values, without those that have none."""
    number, values = key
    return {field: value for field, value in zip(LEVELS[number], values, strict=True) if value}


def name_of(key: LevelKey) -> str:
    """For a sentence: "service competitor-reader of team pricing", "model gpt-4o of openai", "the whole tenant"."""
    scope = scope_of(key)
    if not scope:
        return "the whole tenant"
    if "model" in scope:
        return f"model {scope['model']} of {scope['vendor']}"
    if "service" in scope:
        environment = scope.get("environment", "")
        owner = f" of team {scope['team']}" if scope.get("team") else ""
        return f"service {scope['service']}{owner}" + (f" ({environment})" if environment else "")
    field = next(field for field in ("team", "project", "api_key", "vendor", "environment") if field in scope)
    return f"{field.replace('_', ' ')} {scope[field]}"
