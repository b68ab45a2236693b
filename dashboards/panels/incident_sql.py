"""Pieces of SQL about incidents that several panels share. Each reads a row of `@ledger.incidents`."""

from typing import Final

BEGAN: Final = "least(started_at, opened_at)"
"""When it began. A detector that has changed its mind may say that it began after it was first seen."""

IN_PERIOD: Final = (
    f"({BEGAN} < @until AND ifNull(resolved_at, toDateTime64(@now, 6, 'UTC')) >= @since AND @chosen_scope)"
)
"""It was going on at some time of the period, and may be about what is chosen."""

ABOUT: Final = (
    "arrayStringConcat(arrayMap((name, value) -> concat(replaceAll(name, '_', ' '), ' ', value), "
    "mapKeys(mapFilter((name, value) -> name != 'tenant', scope)), "
    "mapValues(mapFilter((name, value) -> name != 'tenant', scope))), ', ')"
)
"""Its scope for a person: `team search, service answers`. Without the tenant."""

WHO: Final = (
    "arrayStringConcat(arrayFilter(value -> value != '', arrayMap(name -> scope[name], "
    "['team', 'project', 'service', 'api_key', 'vendor', 'model', 'region'])), ' / ')"
)
"""The same in short: `search / assistant / answers`."""

SEVERITY_RANK: Final = "indexOf(['info', 'warning', 'critical'], severity)"
"""1 to 3; 0 for what is none of them."""
