"""Every panel answers over a ledger in which nothing is."""

from datetime import UTC, datetime

import pytest

from dashboards.panels.panel import Panel
from dashboards.panels.question import Choice
from dashboards.panels.registry import boards
from dashboards.panels.variables import VARIABLES
from dashboards.period import rolling_period
from tests.panels.month import PanelLedger

NOW = datetime(2026, 11, 26, 12, 34, tzinfo=UTC)
PANELS = [
    pytest.param(panel, id=f"{each.board.name}/{panel.name}") for each in boards() for panel in each.panels
]
CHOSEN = {name: ["some", "'; DROP TABLE usage; --"] for name in VARIABLES}


@pytest.mark.parametrize("panel", PANELS)
async def test_an_empty_ledger_has_an_answer(empty_ledger: PanelLedger, panel: Panel) -> None:
    for period, where in (("1h", {}), ("30d", CHOSEN)):
        rows = await empty_ledger.rows(panel, Choice(rolling_period(period, NOW), where), NOW)
        assert all(tuple(row) == panel.names for row in rows)
