"""What holds of every board and panel, and what the registry refuses."""

import re

import pytest

from dashboards.panels.panel import MONEY, Board, Field, Kind, Panel, Unit
from dashboards.panels.registry import board, boards
from dashboards.panels.template import slots_of
from dashboards.panels.variables import INCIDENT
from dashboards.period import RANGES
from tokenweir.errors import WrongCall

OF_THE_PIPELINE = {"rejected", "minutes", "minute_state", "hour_state", "day_state"}
"""Tables that do not say whose the calls are."""

PANELS = [
    pytest.param(panel, id=f"{each.board.name}/{panel.name}") for each in boards() for panel in each.panels
]


@pytest.mark.parametrize("each", [pytest.param(each, id=each.board.name) for each in boards()])
def test_a_board_says_what_it_is_for(each: tuple[Board, tuple[Panel, ...]]) -> None:
    assert each[0].title
    assert each[0].description.endswith(".")
    assert each[0].period in RANGES
    assert each[1], "a board without panels"


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_a_question_and_says_how_to_read_the_answer(panel: Panel) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", panel.name)
    assert panel.title.endswith("?")
    assert len(panel.description) >= 40
    assert panel.description.endswith(".")
    assert panel.empty.endswith(".")
    assert any(each.unit is not Unit.TEXT for each in panel.fields)


def is_about_usage(panel: Panel) -> bool:
    """Whether it asks only tables that say whose the calls are."""
    return not OF_THE_PIPELINE & set(re.findall(r"@ledger\.(\w+)", panel.sql))


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_heeds_the_period_and_what_is_chosen(panel: Panel) -> None:
    slots = slots_of(panel.sql)
    assert slots & {"in_period", "since", "until", "now"}
    if not slots & {"chosen", "chosen_models", "chosen_scope"}:
        assert not is_about_usage(panel)
        assert "Nothing that is chosen narrows it." in panel.description


@pytest.mark.parametrize("panel", PANELS)
def test_money_is_named_so(panel: Panel) -> None:
    for each in panel.fields:
        assert each.unit in MONEY or "usd" not in each.name.split("_")


def test_a_slot_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown slots: nonsense"):
        Panel("a", "?", "", Kind.STAT, "SELECT @nonsense", (Field("a", "A", Unit.COUNT),), 1)


def test_an_unknown_board_or_panel_is_a_wrong_call() -> None:
    with pytest.raises(WrongCall, match="no board 'nowhere'"):
        board("nowhere")
    with pytest.raises(WrongCall, match="no panel 'nothing'"):
        board("fleet").panel("nothing")


def test_a_panel_that_tells_of_one_incident_heeds_which() -> None:
    panel = Panel("a", "?", "", Kind.STAT, "SELECT @incident", (Field("a", "A", Unit.TEXT, INCIDENT),), 1)
    assert panel.variables == {INCIDENT}
