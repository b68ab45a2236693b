"""The template language of a panel's SQL: names that begin with `@`, filled in by whoever asks.

| slot | stands for |
| --- | --- |
| `@ledger` | the database: `@ledger.usage_by_day`, `@ledger.signals` |
| `@usage` | the usage view that fits the period: `usage_by_minute`, `usage_by_hour` or `usage_by_day` |
| `@at` | that view's column of time |
| `@in_period` | a condition on `@at`: it lies in the period |
| `@before_period` | the same for the period of the same length right before |
| `@chosen` | a condition: the usage columns are among the values chosen of each variable |
| `@chosen_models` | the same for `vendor` and `model` alone, for tables without the other columns |
| `@chosen_scope` | the same for a signal's `scope`: what it says nothing of is not narrowed |
| `@since`, `@until` | begin and end of the period, DateTime in UTC; it holds `@since` and not `@until` |
| `@now` | this moment, DateTime in UTC |
| `@step` | the beginning of the step of the chart in which `@at` lies, DateTime in UTC |
| `@step_seconds` | how long a step is |
| `@incident` | the name of the incident that was chosen, a String; empty where none was |
| `@by`, `@then_by` | a column to group by, one of GROUPS, as the reader chose |

A template is SQL of ClickHouse otherwise. Values are never put into it as text by the local page; it binds them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from dashboards.panels.variables import INCIDENT, VARIABLES

SLOTS: Final = frozenset(
    {
        "ledger",
        "usage",
        "at",
        "in_period",
        "before_period",
        "chosen",
        "chosen_models",
        "chosen_scope",
        "since",
        "until",
        "now",
        "step",
        "step_seconds",
        "incident",
        "by",
        "then_by",
    }
)
_SLOT: Final = re.compile(r"@([a-z_]+)")
_MODELS: Final = frozenset({"vendor", "model"})


def slots_of(sql: str) -> frozenset[str]:
    """The slots that a template has."""
    return frozenset(_SLOT.findall(sql))


def check_template(sql: str, name: str) -> frozenset[str]:
    """The variables that the template heeds. Raises ValueError for a slot that is none."""
    slots = slots_of(sql)
    unknown = slots - SLOTS
    if unknown:
        raise ValueError(f"panel {name!r} has unknown slots: {', '.join(sorted(unknown))}")
    of_incident = frozenset({INCIDENT}) & slots
    if slots & {"chosen", "chosen_scope"}:
        return of_incident | frozenset(VARIABLES)
    return of_incident | _MODELS if "chosen_models" in slots else of_incident


def fill(sql: str, values: Mapping[str, str] | Callable[[str], str]) -> str:
    """The template with each slot replaced. values: by slot. Raises KeyError for a slot without a value."""
    find = values if callable(values) else values.__getitem__
    return _SLOT.sub(lambda match: find(match[1]), sql)
