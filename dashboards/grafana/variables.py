"""The variables of a dashboard: one for each of VARIABLES, which cascade, and those that the panels' SQL asks for.

Each variable's choices are narrowed by what is chosen of those before it, since Grafana allows no circle. What has no
name (an empty text) is no choice, as the data source takes an empty value for "all".
"""

from collections.abc import Iterable
from typing import Final

from dashboards.grafana.model import Option, Variable, data_source
from dashboards.grafana.sql import NO_INCIDENT, RESOLUTION_QUERY, chosen
from dashboards.panels.variables import GROUPS, INCIDENT, VARIABLES

_MOST_CHOICES: Final = 1000
_INCIDENTS: Final = """\
SELECT value, text
FROM
(
    SELECT '{none}' AS value, 'None' AS text, toDateTime64(0, 6, 'UTC') AS began_at
    UNION ALL
    SELECT incident AS value, title AS text, started_at AS began_at
    FROM {database}.incidents
    WHERE started_at < $__toTime AND (resolved_at IS NULL OR resolved_at >= $__fromTime)
    ORDER BY began_at DESC, value
    LIMIT {limit}
)
ORDER BY value != '{none}', began_at DESC, value"""


def variables(used: Iterable[str], database: str) -> list[Variable]:
    """The variables of a board. used: the names that its queries mention.

    A board that does not group, or tells of no incident, keeps those choices out of sight, for the links that carry
    them.
    """
    mentioned = set(used)
    found = [_choice(name, database) for name in VARIABLES]
    found.append(_group("by", "By", "team", shown="by" in mentioned))
    found.append(_group("then_by", "Then by", "model", shown="then_by" in mentioned))
    found.append(_incident(database, shown=INCIDENT in mentioned))
    if "resolution" in mentioned:
        found.append(_resolution())
    return found


def choices_query(name: str, database: str) -> str:
    """Asks for the values of a variable in the period, narrowed by the variables before it."""
    names = list(VARIABLES)
    before = tuple(names[: names.index(name)])
    narrowed = f"\n    AND {chosen(before)}" if before else ""
    return (
        f"SELECT DISTINCT {name}\nFROM {database}.usage_by_day\n"
        f"WHERE day >= toStartOfDay(toDateTime($__fromTime, 'UTC')) AND day <= $__toTime\n"
        f"    AND {name} != ''{narrowed}\nORDER BY {name}\nLIMIT {_MOST_CHOICES}"
    )


def _choice(name: str, database: str) -> Variable:
    sql = choices_query(name, database)
    return {
        "type": "query",
        "name": name,
        "label": VARIABLES[name],
        "hide": 0,
        "skipUrlSync": False,
        "datasource": data_source(),
        "query": {"editorType": "sql", "rawSql": sql},
        "definition": sql,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
        "multi": True,
        "includeAll": True,
        "allowCustomValue": False,
        # The choices are those of the period, so they are asked again when it changes.
        "refresh": 2,
        "sort": 0,
    }


def _group(name: str, label: str, at_first: str, *, shown: bool) -> Variable:
    options: list[Option] = [
        {"selected": value == at_first, "text": title, "value": value} for value, title in GROUPS.items()
    ]
    return {
        "type": "custom",
        "name": name,
        "label": label,
        "hide": 0 if shown else 2,
        "skipUrlSync": False,
        "query": ", ".join(f"{title} : {value}" for value, title in GROUPS.items()),
        "current": {"selected": True, "text": GROUPS[at_first], "value": at_first},
        "options": options,
        "multi": False,
        "includeAll": False,
        # Its value becomes the name of a column.
        "allowCustomValue": False,
    }


def _incident(database: str, *, shown: bool) -> Variable:
    sql = _INCIDENTS.format(none=NO_INCIDENT, database=database, limit=_MOST_CHOICES)
    return {
        "type": "query",
        "name": INCIDENT,
        "label": "Incident",
        "hide": 0 if shown else 2,
        "skipUrlSync": False,
        "datasource": data_source(),
        "query": {"editorType": "sql", "rawSql": sql},
        "definition": sql,
        "current": {"selected": True, "text": "None", "value": NO_INCIDENT},
        "options": [],
        "multi": False,
        "includeAll": False,
        "allowCustomValue": False,
        "refresh": 2,
        "sort": 0,
    }


def _resolution() -> Variable:
    return {
        "type": "query",
        "name": "resolution",
        "label": "Resolution",
        "hide": 2,
        # It follows from the period, so an address does not carry it.
        "skipUrlSync": True,
        "datasource": data_source(),
        "query": {"editorType": "sql", "rawSql": RESOLUTION_QUERY},
        "definition": RESOLUTION_QUERY,
        "current": {"selected": True, "text": "hour", "value": "hour"},
        "options": [],
        "multi": False,
        "includeAll": False,
        "allowCustomValue": False,
        "refresh": 2,
        "sort": 0,
    }
