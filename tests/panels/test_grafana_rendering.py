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

# Sums of floats, and digests even more, depend on the order in which the engine's threads come to an end.
ROUGHLY = 0.01
PANELS = [
    pytest.param(panel, id=f"{each.board.name}/{panel.name}") for each in boards() for panel in each.panels
]


@pytest.mark.parametrize("panel", PANELS)
async def test_it_answers_the_same(month: Month, panel: Panel) -> None:
    """What is chosen of one variable is a condition, and of the others that all are chosen."""
    chosen = {"vendor": ["openai", "anthropic"]}
    choice = Choice(rolling_period("7d", month.end), chosen, by="vendor", then_by="model")
    asked = statement(panel.sql, choice, month.end, database=DATABASE)
    local = await month.reader.rows(asked.sql, asked.values)
    drawn = drawing(panel, "fleet", DATABASE)
    shown = await in_grafana(month, panel, choice, month.end)
    names = [field.name for field in drawn.fields]
    if panel.kind is Kind.HEATMAP:
        assert _calls_by_step(shown, names) == _calls_by_step(local, names)
        return
    one, other = _rows(shown, names), _rows(local, names)
    if drawn.shape == "timeseries" or any(isinstance(cell, float) for row in other for cell in row):
        # What is drawn over time is ordered by time and name there; and floats may be the order of a table.
        one, other = sorted(one, key=_exact), sorted(other, key=_exact)
    assert [_exact(row) for row in one] == [_exact(row) for row in other]
    for row, same in zip(one, other, strict=True):
        assert [cell for cell in row if isinstance(cell, float)] == pytest.approx(
            [cell for cell in same if isinstance(cell, float)], rel=ROUGHLY, nan_ok=True
        )


def _rows(rows: list[dict[str, Any]], names: list[str]) -> list[list[object]]:
    return [[plain(row[name]) for name in names] for row in rows]


def _exact(row: list[object]) -> str:
    """What of a row is no float: money, counts, times and names, which are the same to the last digit."""
    return str([cell for cell in row if not isinstance(cell, float)])


def _calls_by_step(rows: list[dict[str, Any]], names: list[str]) -> dict[object, int]:
    """The calls of each step of time. How they spread over buckets is an estimate."""
    found: dict[object, int] = {}
    for row in rows:
        time = plain(row[names[0]])
        found[time] = found.get(time, 0) + int(row[names[2]])
    return found


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
