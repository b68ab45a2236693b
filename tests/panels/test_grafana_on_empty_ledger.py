"""Every query of a dashboard has an answer over a ledger in which nothing is."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.grafana.dashboard import dashboard
from dashboards.grafana.sql import NO_INCIDENT, RESOLUTION_QUERY
from dashboards.panels.panel import Panel
from dashboards.panels.question import Choice
from dashboards.panels.registry import BoardPanels, boards
from dashboards.panels.variables import VARIABLES
from dashboards.period import period_between, rolling_period
from tests.panels.in_grafana import expanded, in_grafana, values_of
from tests.panels.month import PanelLedger

PANELS = [
    pytest.param(panel, id=f"{each.board.name}/{panel.name}") for each in boards() for panel in each.panels
]
NOW = datetime(2026, 11, 26, 12, 34, tzinfo=UTC)


@pytest.mark.parametrize("panel", PANELS)
async def test_an_empty_ledger_has_an_answer(empty_ledger: PanelLedger, panel: Panel) -> None:
    where = {name: ["some", "it's"] for name in VARIABLES}
    choice = Choice(period_between(NOW - timedelta(days=90), NOW), where)
    await in_grafana(empty_ledger, panel, choice, NOW)


@pytest.mark.parametrize(("period", "resolution"), [("24h", "minute"), ("7d", "hour"), ("30d", "hour")])
async def test_the_resolution_fits_the_period(
    empty_ledger: PanelLedger, period: str, resolution: str
) -> None:
    (row,) = await empty_ledger.reader.rows(
        expanded(RESOLUTION_QUERY, rolling_period(period, NOW), {}, NOW), {}
    )
    # Grafana's periods begin and end anywhere, so they are read by no longer steps than the page's, which do not.
    assert row["resolution"] == resolution
    on_the_page = rolling_period(period, NOW).rollup.removeprefix("usage_by_")
    lengths = ("minute", "hour", "day")
    assert lengths.index(resolution) <= lengths.index(on_the_page)


@pytest.mark.parametrize("each", [pytest.param(each, id=each.board.name) for each in boards()])
async def test_annotations_and_incidents_are_asked(empty_ledger: PanelLedger, each: BoardPanels) -> None:
    made = dashboard(each)
    period = rolling_period("7d", NOW)
    (marks,) = [one["target"]["rawSql"] for one in made["annotations"]["list"] if "target" in one]
    assert await empty_ledger.reader.rows(expanded(marks, period, values_of(Choice(period)), NOW), {}) == []
    (incident,) = [
        v["query"]["rawSql"]
        for v in made["templating"]["list"]
        if v["name"] == "incident" and isinstance(v["query"], dict)
    ]
    rows = await empty_ledger.reader.rows(expanded(incident, period, {}, NOW), {})
    assert rows == [{"value": NO_INCIDENT, "text": "None"}]
