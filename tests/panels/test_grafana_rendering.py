"""A panel in Grafana answers what it answers on the local page: the same SQL, with other macros in it."""

from typing import Any

import pytest

from dashboards.grafana.dashboard import dashboard
from dashboards.grafana.kinds import drawing
from dashboards.panels.panel import Kind, Panel
from dashboards.panels.question import Choice, statement
from dashboards.panels.registry import boards
from dashboards.period import rolling_period
from tests.grafana.macros import Values, plain
from tests.panels.in_grafana import expanded, in_grafana, values_of
from tests.panels.month import DATABASE, Month

PANELS = [
    pytest.param(panel, id=f"{each.board.name}/{panel.name}") for each in boards() for panel in each.panels
]


@pytest.mark.parametrize("panel", PANELS)
async def test_it_answers_the_same(month: Month, panel: Panel) -> None:
    for choice in (
        Choice(rolling_period("30d", month.end)),
        Choice(
            rolling_period("24h", month.end),
            {"vendor": ["openai", "anthropic"]},
            by="vendor",
            then_by="model",
        ),
    ):
        asked = statement(panel.sql, choice, month.end, database=DATABASE)
        local = await month.reader.rows(asked.sql, asked.values)
        shown = await in_grafana(month, panel, choice, month.end)
        drawn = drawing(panel, "fleet", DATABASE)
        names = [field.name for field in drawn.fields]
        one, other = _rows(shown, names, panel), _rows(local, names, panel)
        if drawn.shape == "timeseries":
            # What is drawn over time is ordered by time and name there.
            one, other = sorted(one), sorted(other)
        assert one == other


def _rows(rows: list[dict[str, Any]], names: list[str], panel: Panel) -> list[str]:
    if panel.kind is Kind.HEATMAP:
        rows = [{**row, names[1]: float(row[names[1]])} for row in rows]
    return [str([plain(row[name]) for name in names]) for row in rows]


async def test_choices_are_those_of_the_period_narrowed_from_the_left(month: Month) -> None:
    period = rolling_period("30d", month.end)
    made = dashboard(boards()[0])
    asked = {
        v["name"]: v["query"]["rawSql"] for v in made["templating"]["list"] if isinstance(v["query"], dict)
    }
    values = values_of(Choice(period))

    async def offered(name: str, chosen: Values) -> list[str]:
        rows = await month.reader.rows(expanded(asked[name], period, {**values, **chosen}, month.end), {})
        return [row[name] for row in rows]

    calls = month.within(period)
    assert await offered("team", {}) == sorted({call["team"] for call in calls if call.get("team")})
    some = calls[0]["team"]
    assert await offered("model", {"team": [some]}) == sorted(
        {call["model"] for call in calls if call.get("team") == some}
    )
