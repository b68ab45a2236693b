"""What narrows a question to the ledger: a period, and values that dimensions must have, as SQL with parameters."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sinks.clickhouse.columns import ROLLUP_DIMENSIONS, USAGE_DIMENSIONS
from tokenweir.errors import WrongCall

DIMENSIONS: Final = ("tenant", *ROLLUP_DIMENSIONS, *USAGE_DIMENSIONS)
"""What calls can be grouped and filtered by, besides periods."""

Where = Mapping[str, str | Sequence[str]]
"""Dimension → the value, or the values, that it must have."""


def check_names(names: Sequence[str], known: Sequence[str]) -> None:
    """Raises WrongCall for a name that is not among the known ones."""
    for name in names:
        if name not in known:
            raise WrongCall(
                f"'{name}' is nothing that usage is known by", hint=f"Choose of: {', '.join(known)}."
            )


def check_zone(moment: datetime) -> None:
    """Raises WrongCall for a time without a zone."""
    if moment.tzinfo is None:
        raise WrongCall(
            f"The time {moment} has no zone", hint="Write it with one, e.g. 2026-11-23T12:00:00Z."
        )


def moment_text(moment: datetime) -> str:
    """A time as `toDateTime64(…, 6, 'UTC')` reads it. Raises WrongCall for one without a zone."""
    check_zone(moment)
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def time_clauses(
    column: str, since: datetime | None, until: datetime | None, parameters: dict[str, Any]
) -> list[str]:
    """`since` ≤ column < `until` of the rows `u`; the values go into `parameters`."""
    clauses = []
    for name, sign, moment in (("since", ">=", since), ("until", "<", until)):
        if moment is not None:
            parameters[name] = moment_text(moment)
            clauses.append(f"u.{column} {sign} toDateTime64({{{name}:String}}, 6, 'UTC')")
    return clauses


def value_clauses(where: Where, parameters: dict[str, Any]) -> list[str]:
    """What the rows `u` must have; the values go into `parameters`. Names are checked by the caller."""
    clauses = []
    for number, (name, value) in enumerate(where.items()):
        parameters[f"values_{number}"] = [value] if isinstance(value, str) else list(value)
        clauses.append(f"u.{name} IN {{values_{number}:Array(String)}}")
    return clauses
