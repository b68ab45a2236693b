"""A report on the fleet's month: it stands alone, and its figures are the sums of the ledger's distinct calls."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from dashboards.panels.registry import board
from dashboards.report import USUAL_BOARDS, named_period
from dashboards.report.scripts import drawing_script, plotly_script
from tests.panels.month import END, Month
from tests.report.reading import VERSION, Report, report_of
from tokenweir.errors import WrongCall

MADE_AT = END + timedelta(minutes=20)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def november(month: Month) -> Report:
    """The month that runs, all boards that are usual."""
    return Report(await report_of(month, named_period("2026-11", MADE_AT), MADE_AT))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def week(month: Month) -> Report:
    """A week that is over, for one team."""
    period = named_period("2026-W46", MADE_AT)
    narrowed = {"team": ["support-emea"]}
    text = await report_of(
        month, period, MADE_AT, boards=("fleet",), where=narrowed, by="model", title="A <team>"
    )
    return Report(text)


def of(
    month: Month, since: datetime, until: datetime, wanted: Callable[[Any], bool] = bool
) -> list[dict[str, Any]]:
    return [call for call in month.calls if since <= call["time"] < until and wanted(call)]


def spent(calls: list[dict[str, Any]]) -> Decimal:
    return sum((call["cost"] for call in calls if call["cost"] is not None), Decimal(0))


def decimals(texts: list[str]) -> list[Decimal]:
    return [Decimal(text) for text in texts]


async def test_it_loads_nothing_and_lets_nothing_out(november: Report) -> None:
    root = november.root
    policy = root.the("meta", http_equiv="Content-Security-Policy").attributes["content"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"https?:|\*|'self'|unsafe-eval|script-src[^;]*unsafe", policy)
    for element in root.all():
        assert element.tag not in (
            "link",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "img",
            "video",
            "audio",
        )
        for attribute, value in element.attributes.items():
            assert attribute not in ("src", "srcset", "action", "formaction", "data", "poster", "background")
            assert not attribute.startswith("on")
            if attribute == "href":
                assert re.fullmatch(r"#[a-z]+", value)
            if attribute == "style":
                assert "url(" not in value
    for style in root.all("style"):
        assert "url(" not in style.text
        assert "@import" not in style.text
    scripts = [each for each in root.all("script") if each.attributes.get("type") != "application/json"]
    assert [each.text for each in scripts] == [plotly_script(), drawing_script()]


async def test_the_head_says_what_it_is_about(november: Report, week: Report) -> None:
    said = november.said
    assert "November 2026" in said
    assert "2026-11-01 00:00 UTC up to 2026-11-20 01:00 UTC" in said
    assert f"made 2026-11-20 00:20 UTC by version {VERSION}" in said
    assert "The period is not over: it ends 2026-12-01 00:00 UTC" in said
    assert "The ledger begins on 2026-10-21, within what it is compared with" in said
    assert [each.attributes["id"] for each in november.root.all("section") if "id" in each.attributes] == [
        *USUAL_BOARDS,
        "incidents",
    ]
    assert "Team: support-emea" in week.said
    assert "not over" not in week.said
    assert week.root.the("h1").text == "A <team>"
    assert week.root.the("title").text == "A <team>: Week 46 of 2026"


async def test_its_sums_are_those_of_the_calls(month: Month, november: Report, week: Report) -> None:
    begin, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, 1, tzinfo=UTC)
    _check_sums(november, of(month, begin, end), of(month, begin - (end - begin), begin))
    begin = datetime(2026, 11, 9, tzinfo=UTC)

    def ours(call: dict[str, Any]) -> bool:
        return bool(call["team"] == "support-emea")

    end, before = begin + timedelta(days=7), begin - timedelta(days=7)
    _check_sums(week, of(month, begin, end, ours), of(month, before, begin, ours))


def _check_sums(report: Report, calls: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> None:
    table = report.root.the("table", id="sums")
    unpriced = [call for call in calls if call["cost"] is None]
    assert calls
    assert decimals(table.the("tr", data_figure="usd").exact) == [spent(calls), spent(earlier)]
    assert table.the("tr", data_figure="all_calls").exact == [str(len(calls)), str(len(earlier))]
    assert table.the("tr", data_figure="without_price").exact[0] == str(len(unpriced))
    assert table.the("tr", data_figure="input").exact[0] == str(
        sum(call.get("input_tokens", 0) for call in calls)
    )
    if unpriced:
        assert f"{len(unpriced):,} of {len(calls):,} calls" in report.said
    else:
        assert "Every call of this period has a price." in report.said
    total = report.root.the("div", id="price-basis").the("tfoot").the("tr")
    assert Decimal(total.exact[0]) == spent(calls)
    assert str(len(calls)) in total.exact
    assert Decimal(
        report.panel("fleet", "spend").the("span", **{"class": "figure"}).attributes["data-value"]
    ) == spent(calls)


async def test_a_chart_has_its_figures_beneath_it_with_their_sums(month: Month, november: Report) -> None:
    begin, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, 1, tzinfo=UTC)
    calls = of(month, begin, end)
    chart = november.panel("fleet", "spend-over-time")
    assert "open" in chart.the("details").attributes
    table = chart.the("table", data_measure="usd")
    *_, total = table.the("tfoot").the("tr").exact
    assert Decimal(total) == spent(calls)
    names = [each.text for each in table.the("thead").all("th")][1:]
    assert names[-2:] == ["all others", "Total"]
    for index, team in enumerate(names[:-2]):
        by_hand = spent([call for call in calls if call["team"] == team])
        assert Decimal(table.the("tfoot").the("tr").exact[index]) == by_hand
    counted = chart.the("table", data_measure="all_calls").the("tfoot").the("tr").exact
    assert counted[-1] == str(len(calls))


async def test_every_panel_of_a_board_is_there_with_its_answer(november: Report, week: Report) -> None:
    answered = {each["id"]: each for each in november.answers["panels"]}
    for board_name in USUAL_BOARDS:
        for panel in board(board_name).panels:
            element = november.panel(board_name, panel.name)
            rows = answered[f"{board_name}-{panel.name}"]["answer"]["rows"]
            assert element.the("h3").text == panel.title
            assert bool(element.all("table") or element.all("dl")) == bool(rows)
    assert not week.root.all("article", id="fleet-open-signals")
    assert "Left out, as it knows only the present: “What is going on right now?”" in week.said
    assert "As of the last second of the period." in week.panel("fleet", "run-rate").text


async def test_the_answers_are_in_it_for_programs(month: Month, november: Report) -> None:
    begin, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, 1, tzinfo=UTC)
    sums = november.answers["sums"][0]
    assert Decimal(sums["usd"]) == spent(of(month, begin, end))
    assert isinstance(sums["usd"], str)
    assert (sums["since"], sums["until"]) == ("2026-11-01T00:00:00Z", "2026-11-20T01:00:00Z")


async def test_a_finished_period_ends_with_its_own_last_day(month: Month, week: Report) -> None:
    """What tells of a moment tells of the end of the period, not of when the report was made."""
    begin = datetime(2026, 11, 15, tzinfo=UTC)
    (asked,) = [each for each in week.answers["panels"] if each["id"] == "fleet-today"]
    names = [field["name"] for field in asked["definition"]["fields"]]
    calls = of(month, begin, begin + timedelta(days=1), lambda call: bool(call["team"] == "support-emea"))
    assert Decimal(asked["answer"]["rows"][0][names.index("usd")]) == spent(calls)


async def test_what_is_no_board_or_variable_is_refused(month: Month) -> None:
    period = named_period("2026-11", MADE_AT)
    for more in ({"boards": ("nothing",)}, {"where": {"nothing": ["x"]}}, {"by": "nothing"}):
        with pytest.raises(WrongCall):
            await report_of(month, period, MADE_AT, **more)
