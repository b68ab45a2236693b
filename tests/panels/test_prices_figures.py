"""The figures of the price war's board equal a sum by hand over its distinct calls, and prices those of the book."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from producers.simulation import FleetSimulation
from tests.detectors.feeding import book_of
from tests.panels.month import CALLS_SCALE, DAYS, END, SEED, Month
from tokenweir.pricing import PriceBook

PRICES = board("prices")
WEEK = timedelta(days=7)
Call = dict[str, Any]


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return book_of(FleetSimulation(seed=SEED, end=END, days=DAYS, calls_scale=CALLS_SCALE).price_file)


def rate(book: PriceBook, vendor: str, model: str, at: datetime, component: str) -> Decimal:
    """Dollars for a million tokens, as the meter would take them."""
    price = book.lookup(vendor, model, at)
    assert price is not None
    rates = dict(price.cards[0].rates)
    found = rates.get(component) or rates["input"]
    assert found.per == 1_000_000
    return Decimal(found.picos).scaleb(-12)


def spent(calls: list[Call]) -> Decimal:
    return sum((call["cost"] for call in calls if call["cost"] is not None), Decimal(0))


def tokens(calls: list[Call]) -> int:
    return sum(call.get("input_tokens", 0) + call.get("output_tokens", 0) for call in calls)


def grouped(calls: list[Call], *names: str) -> dict[tuple[str, ...], list[Call]]:
    groups: defaultdict[tuple[str, ...], list[Call]] = defaultdict(list)
    for call in calls:
        groups[tuple(call.get(name, "") for name in names)].append(call)
    return groups


async def test_the_prices_are_those_of_the_book(month: Month, book: PriceBook) -> None:
    period = rolling_period("30d", month.end)
    choice = Choice(period, {"vendor": ["anthropic", "mistral", "google", "openai"]})
    rows = await month.rows(PRICES.panel("history"), choice, month.end)
    vendors = {
        call["model"]: call["vendor"] for call in month.calls if call["vendor"] in choice.where["vendor"]
    }
    assert len({row["name"] for row in rows}) >= 5
    for row in rows:
        at = datetime.fromisoformat(row["time"])
        for column, component in (("usd_in", "input"), ("usd_out", "output")):
            assert Decimal(row[column]) == rate(book, vendors[row["name"]], row["name"], at, component)


async def test_a_cut_saved_what_was_called_since_at_the_old_price(month: Month, book: PriceBook) -> None:
    (cut,) = month.story.of_kind("price_cut")
    period = rolling_period("30d", month.end)
    (row,) = await month.rows(PRICES.panel("changes"), Choice(period), month.end)
    changed = datetime.fromisoformat(row["changed"])
    assert changed == cut.started_at
    before = changed - timedelta(seconds=1)

    def old(component: str) -> Decimal:
        return rate(book, row["vendor"], row["model"], before, component)

    assert Decimal(row["old_usd_in"]) == old("input") > Decimal(row["new_usd_in"])
    assert Decimal(row["old_usd_out"]) == old("output") > Decimal(row["new_usd_out"])
    whole_hour = changed.replace(minute=0) + timedelta(hours=1)
    since = [
        call
        for call in month.within(period)
        if (call["vendor"], call["model"]) == (row["vendor"], row["model"]) and call["time"] >= whole_hour
    ]
    at_old = sum(
        (call.get("input_tokens", 0) - call.get("cache_read_tokens", 0)) * old("input")
        + call.get("cache_read_tokens", 0) * old("cache_read")
        + call.get("output_tokens", 0) * old("output")
        for call in since
    ) / Decimal(1_000_000)
    assert row["all_calls"] == len(since) > 100
    assert Decimal(row["usd_paid"]) == spent(since)
    assert Decimal(row["usd_at_old_price"]) == at_old
    assert Decimal(row["usd_saved"]) == at_old - spent(since) > 0

    (row,) = await month.rows(PRICES.panel("volume-answer"), Choice(period), month.end)
    hour = changed.replace(minute=0) + timedelta(hours=1)
    first = (changed - WEEK).replace(minute=0) + timedelta(hours=1)
    weeks = {
        "before": [call for call in month.calls if first <= call["time"] < hour],
        "after": [call for call in month.calls if hour <= call["time"] < hour + WEEK],
    }
    for name, calls in weeks.items():
        own = [call for call in calls if (call["vendor"], call["model"]) == (row["vendor"], row["model"])]
        assert row[f"calls_percent_{name}"] == pytest.approx(100 * len(own) / len(calls))
        assert row[f"tokens_percent_{name}"] == pytest.approx(100 * tokens(own) / tokens(calls))
    assert row["calls_percent_after"] > row["calls_percent_before"]


async def test_list_cost_stands_against_what_was_paid(month: Month) -> None:
    period = rolling_period("30d", month.end)
    groups = grouped([call for call in month.within(period) if call["cost"] is not None], "vendor", "model")
    rows = await month.rows(PRICES.panel("list-against-paid"), Choice(period), month.end)
    assert len(rows) == len(groups)
    for row in rows:
        calls = groups[row["vendor"], row["model"]]
        listed = sum(Decimal(call["list_cost"]) for call in calls)
        assert Decimal(row["usd_at_list"]) == listed
        assert Decimal(row["usd"]) == spent(calls)
        assert Decimal(row["usd_off"]) == listed - spent(calls)
        assert row["contract_calls"] == sum(1 for call in calls if call["price_status"] == "contract")
    assert any(Decimal(row["usd_off"]) != 0 for row in rows)


async def test_a_million_tokens_cost_what_was_paid_for_them(month: Month) -> None:
    period = rolling_period("7d", month.end)
    priced, before = (
        [call for call in calls if call["cost"] is not None]
        for calls in (month.within(period), month.within(period.before))
    )
    rows = await month.rows(PRICES.panel("per-million-by-vendor"), Choice(period), month.end)
    vendors = grouped(priced, "vendor")
    assert len(rows) == len(vendors)
    for row in rows:
        calls = vendors[row["vendor"],]
        assert abs(Decimal(row["usd_per_million"]) - spent(calls) * 1_000_000 / tokens(calls)) < Decimal(
            "1e-11"
        )
        assert row["tokens"] == tokens(calls)
    rows = await month.rows(PRICES.panel("per-million-by-model"), Choice(period), month.end)
    models, earlier = (grouped(calls, "vendor", "model") for calls in (priced, before))
    assert {(row["vendor"], row["model"]) for row in rows} == set(models)
    for row in rows:
        calls, then = models[row["vendor"], row["model"]], earlier.get((row["vendor"], row["model"]), [])
        assert abs(Decimal(row["usd_per_million"]) - spent(calls) * 1_000_000 / tokens(calls)) < Decimal(
            "1e-11"
        )
        if then:
            expected = spent(then) * 1_000_000 / tokens(then)
            assert abs(Decimal(row["usd_per_million_before"]) - expected) < Decimal("1e-11")
        else:
            assert row["usd_per_million_before"] is None
        cached = sum(call.get("cache_read_tokens", 0) for call in calls)
        given = sum(call.get("input_tokens", 0) for call in calls)
        assert row["cached_percent"] == (pytest.approx(100 * cached / given) if given else None)
    rows = await month.rows(PRICES.panel("per-million-over-time"), Choice(period), month.end)
    step = timedelta(seconds=period.step_seconds)
    for row in rows[::7]:
        since = datetime.fromisoformat(row["time"])
        calls = [call for call in vendors[row["name"],] if since <= call["time"] < since + step]
        assert abs(Decimal(row["usd_per_million"]) - spent(calls) * 1_000_000 / tokens(calls)) < Decimal(
            "1e-11"
        )


async def test_shares_add_up_and_the_index_is_of_their_squares(month: Month) -> None:
    period = rolling_period("7d", month.end)
    shares = await month.rows(PRICES.panel("vendor-share"), Choice(period), month.end)
    indexes = await month.rows(PRICES.panel("concentration"), Choice(period), month.end)
    by_step: defaultdict[datetime, list[Call]] = defaultdict(list)
    for call in month.within(period):
        since = int(call["time"].timestamp()) // period.step_seconds * period.step_seconds
        by_step[datetime.fromtimestamp(since, END.tzinfo)].append(call)
    assert [datetime.fromisoformat(row["time"]) for row in indexes] == sorted(by_step)
    for row in indexes:
        calls = by_step[datetime.fromisoformat(row["time"])]
        vendors = grouped(calls, "vendor")
        spend = sum((float(spent(group)) / float(spent(calls)) * 100) ** 2 for group in vendors.values())
        assert row["spend_index"] == pytest.approx(spend)
        assert row["calls_index"] == pytest.approx(
            sum((100 * len(group) / len(calls)) ** 2 for group in vendors.values())
        )
        assert row["tokens_index"] == pytest.approx(
            sum((100 * tokens(group) / tokens(calls)) ** 2 for group in vendors.values())
        )
        parts = [each for each in shares if each["time"] == row["time"]]
        for column in ("spend_percent", "calls_percent", "tokens_percent"):
            assert sum(each[column] for each in parts) == pytest.approx(100)
        for each in parts:
            if each["name"] != "all others":
                assert each["calls_percent"] == pytest.approx(100 * len(vendors[each["name"],]) / len(calls))
