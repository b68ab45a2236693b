"""A panel's SQL for Grafana: each slot of the template as a macro or a variable of the ClickHouse data source.

Only macros and variable forms that the data source documents are used (ALLOWED_MACROS; docs/grafana.md names the
pages). A period holds its beginning and not its end, as everywhere here, so `$__fromTime` and `$__toTime` are used in
place of `$__timeFilter`, which holds both. Grafana's periods begin anywhere: of the first step that is cut, nothing is
counted.

`${resolution:raw}` is `minute`, `hour` or `day`: the answer of a hidden variable that asks which fits the period.
"""

import re
from collections.abc import Iterable
from typing import Final

from dashboards.panels.template import fill
from dashboards.panels.variables import VARIABLES

ALLOWED_MACROS: Final = frozenset(
    {"$__fromTime", "$__toTime", "$__timeInterval", "$__interval_s", "$__conditionalAll"}
)
"""Of the macros of the data source's documentation, those that are used."""

RESOLUTION_QUERY: Final = (
    "SELECT multiIf(dateDiff('second', $__fromTime, $__toTime) <= 172800, 'minute', "
    "dateDiff('second', $__fromTime, $__toTime) <= 3024000, 'hour', 'day') AS resolution"
)
"""By minute up to two days, by hour up to five weeks. The one answer is the one choice of the variable."""

NO_INCIDENT: Final = "none"
"""The value of the variable where no incident is chosen; the data source takes an empty one for "all"."""

_INCIDENT: Final = "${incident:singlequote}"
_COLUMN: Final = "${resolution:raw}"
_STEP_SECONDS: Final = (
    "greatest($__interval_s, "
    "transform('${resolution:raw}', ['minute', 'hour', 'day'], [60, 3600, 86400], 60))"
)
_MACRO: Final = re.compile(r"\$__\w+")
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)")


def grafana_sql(template: str, database: str) -> str:
    """The template for the ledger in `database`, with macros and variables in place of its slots."""
    since, until = "$__fromTime", "$__toTime"
    return fill(
        template,
        {
            "ledger": database,
            "usage": f"{database}.usage_by_{_COLUMN}",
            "at": _COLUMN,
            "in_period": f"({_COLUMN} >= {since} AND {_COLUMN} < {until})",
            "before_period": f"({_COLUMN} >= {since} - ({until} - {since}) AND {_COLUMN} < {since})",
            "chosen": chosen(tuple(VARIABLES)),
            "chosen_models": chosen(("vendor", "model")),
            "chosen_scope": _all_of(
                f"$__conditionalAll((NOT mapContains(scope, '{name}') "
                f"OR scope['{name}'] IN (${{{name}:singlequote}})), ${name})"
                for name in VARIABLES
            ),
            "since": f"toDateTime({since}, 'UTC')",
            "until": f"toDateTime({until}, 'UTC')",
            "now": "now('UTC')",
            "step": f"$__timeInterval({_COLUMN})",
            "step_seconds": _STEP_SECONDS,
            "incident": f"if({_INCIDENT} = '{NO_INCIDENT}', '', {_INCIDENT})",
            "by": "${by:raw}",
            "then_by": "${then_by:raw}",
        },
    ).strip()


def chosen(names: tuple[str, ...]) -> str:
    """A condition: each of these columns is among the values chosen of its variable, or all are chosen."""
    return _all_of(f"$__conditionalAll({name} IN (${{{name}:singlequote}}), ${name})" for name in names)


def macros_of(sql: str) -> frozenset[str]:
    """The macros that a query uses."""
    return frozenset(_MACRO.findall(sql))


def variables_of(sql: str) -> frozenset[str]:
    """The names of the variables that a query uses."""
    return frozenset(found[1] or found[3] for found in _VARIABLE.finditer(sql))


def _all_of(conditions: Iterable[str]) -> str:
    return "(" + "\n    AND ".join(conditions) + ")"
