"""Asks a panel as Grafana does: its query there, expanded as the data source's documentation says."""

from datetime import datetime
from typing import Any

from dashboards.grafana.kinds import drawing
from dashboards.grafana.sql import NO_INCIDENT
from dashboards.panels.panel import Panel
from dashboards.panels.question import Choice
from dashboards.panels.variables import VARIABLES
from dashboards.period import Period
from tests.grafana.macros import ALL, Values, expand
from tests.panels.month import DATABASE, PanelLedger


def values_of(choice: Choice) -> dict[str, str | list[str]]:
    """What a reader of Grafana would have chosen."""
    return {
        **{name: list(choice.where.get(name, [ALL])) for name in VARIABLES},
        "by": choice.by,
        "then_by": choice.then_by,
        "incident": choice.incident or NO_INCIDENT,
        "resolution": choice.period.rollup.removeprefix("usage_by_"),
    }


def expanded(sql: str, period: Period, values: Values, now: datetime) -> str:
    """The query as the server gets it."""
    return expand(
        sql,
        since=period.since,
        until=period.until,
        interval_seconds=period.step_seconds,
        values=values,
        now=now,
    )


async def in_grafana(
    ledger: PanelLedger, panel: Panel, choice: Choice, now: datetime
) -> list[dict[str, Any]]:
    """The rows that Grafana would draw the panel from."""
    drawn = drawing(panel, "fleet", DATABASE)
    asked = expanded(drawn.sql, choice.period, values_of(choice), now)
    rows = await ledger.reader.rows(asked, {})
    assert all(tuple(row) == tuple(field.name for field in drawn.fields) for row in rows)
    if drawn.shape == "timeseries":
        # Grafana makes series of rows only where they are in the order of their times.
        times = [row["time"] for row in rows]
        assert times == sorted(times)
    return rows
