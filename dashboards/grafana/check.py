"""Asks a running Grafana each query of the dashboards and of the alert rules, so that its own data source says of each
whether it can be answered.

What a browser fills in, variables and `$__conditionalAll`, is filled in here as for a reader who has chosen nothing;
the other macros go as they are, and are the plugin's to expand.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from dashboards.alerts.registry import rules
from dashboards.grafana import alerting
from dashboards.grafana.client import Grafana
from dashboards.grafana.dashboard import dashboard
from dashboards.grafana.model import JsonObject
from dashboards.grafana.sql import NO_INCIDENT
from dashboards.panels.registry import boards

_CONDITION: Final = re.compile(r"\$__conditionalAll\(")
_VALUES: Final = {
    "${by:raw}": "team",
    "${then_by:raw}": "model",
    "${incident:singlequote}": f"'{NO_INCIDENT}'",
    "${resolution:raw}": "hour",
}


class Asked(NamedTuple):
    """A query and what became of it. failure: the data source's sentence, empty where it answered."""

    name: str
    failure: str


def check_queries(grafana: Grafana, *, database: str) -> Iterator[Asked]:
    """Each query in turn, over the last seven days. Raises one of `dashboards.grafana.failures`."""
    for name, target in _targets(database):
        body = {
            "from": "now-7d",
            "to": "now",
            "queries": [{**target, "refId": "A", "intervalMs": 3_600_000, "maxDataPoints": 100}],
        }
        answer = grafana.ask(grafana.query, f"the query of {name}", body)
        result = answer.get("results", {}).get("A", {}) if isinstance(answer, dict) else {}
        failure = "" if "frames" in result and not result.get("error") else result.get("error") or "no answer"
        yield Asked(name, str(failure))


def chosen_nothing(sql: str) -> str:
    """The query as the browser sends it for a reader who has chosen nothing."""
    for variable, value in _VALUES.items():
        sql = sql.replace(variable, value)
    while found := _CONDITION.search(sql):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        sql = f"{sql[: found.start()]}1=1{sql[end:]}"
    return sql


def _targets(database: str) -> Iterator[tuple[str, JsonObject]]:
    for each in boards():
        for panel in dashboard(each, database=database)["panels"]:
            target: dict[str, Any] = {**panel["targets"][0]}
            yield (
                f"{each.board.title}: {panel['title']}",
                {**target, "rawSql": chosen_nothing(target["rawSql"])},
            )
    for rule in rules():
        model = alerting.api_rule(rule, database=database)["data"][0]["model"]
        yield f"alert rule {rule.name}", model
