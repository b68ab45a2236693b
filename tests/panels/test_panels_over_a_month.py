"""Every panel answers over the fleet's month, whatever is chosen."""

import pytest

from dashboards.panels.panel import Panel
from dashboards.panels.question import Choice
from dashboards.panels.registry import boards
from dashboards.period import rolling_period
from tests.panels.month import Month

PANELS = [
    pytest.param(panel, id=f"{each.board.name}/{panel.name}") for each in boards() for panel in each.panels
]


@pytest.mark.parametrize("panel", PANELS)
async def test_a_month_has_an_answer(month: Month, panel: Panel) -> None:
    now = month.end
    # With something chosen it is asked in test_grafana_rendering.py, beside Grafana's form of it.
    rows = await month.rows(panel, Choice(rolling_period("30d", now)), now)
    assert all(tuple(row) == panel.names for row in rows)
