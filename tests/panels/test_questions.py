"""The answers of docs/questions.md are those of the panels, and those of a reckoning that knows nothing of panels.

The page's own addresses are asked, over the month that its command makes. What a panel says must stand on the page
as it is rounded there, and equal a sum over the calls in plain Python, or what the story says has happened.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from statistics import quantiles
from types import SimpleNamespace
from typing import Any, Final

import pytest
from multidict import MultiDict
from yarl import URL

from dashboards.page.address import read_address
from dashboards.panels.registry import board, boards
from dashboards.panels.variables import VARIABLES
from producers.simulation import FleetSimulation
from tests.detectors.feeding import book_of
from tests.panels.month import DAYS, END, SEED, Month, month_in
from tests.panels.test_spend_figures import Call, list_cost, spent, tokens
from tokenweir.catalog import Catalog
from tokenweir.usage.event import TOKEN_FIELDS

PAGE: Final = Path(__file__).parents[2] / "docs" / "questions.md"
CALLS_SCALE: Final = 0.1
BEGIN: Final = END - timedelta(days=DAYS)
WEEK: Final = END - timedelta(days=7)


@pytest.fixture(scope="module")
def tenth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """The month of the page: a tenth of the demo's calls."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    ledger = month_in(tmp_path_factory.mktemp("tenth") / "chdb", shared, calls_scale=CALLS_SCALE)
    yield ledger
    ledger.close()


@cache
def section(number: int) -> str:
    """One question of the page, its lines joined."""
    found = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (text,) = (part for part in found if part.startswith(f"{number}. "))
    return " ".join(text.split())


async def asked(month: Month, number: int) -> list[list[dict[str, Any]]]:
    """What the panels say at each address of a question, rows by column name."""
    answers = []
    for address in re.findall(r"`(/\?board=[^`]+)`", section(number)):
        given = MultiDict(URL(address).query)
        panel = board(given.pop("board")).panel(given.pop("panel"))
        choice = read_address(given, usual_range="30d").choice(END, BEGIN)
        answers.append(await month.rows(panel, choice, END))
    return answers


def usd(amount: str | Decimal) -> str:
    """As the page writes it."""
    rounded = Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{'−' if rounded < 0 else ''}${abs(rounded):,}"  # noqa: RUF001 - as it is typeset


def says(number: int, *texts: str) -> None:
    for text in texts:
        assert text in section(number), f"question {number} does not say {text!r}"


def between(calls: list[Call], since: datetime, until: datetime) -> list[Call]:
    return [call for call in calls if since <= call["time"] < until]


def of(calls: list[Call], **values: str) -> list[Call]:
    return [call for call in calls if all(call.get(name, "") == value for name, value in values.items())]


def failed(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.get("status", "ok") in ("error", "rate_limited", "timeout")]


def test_the_page_makes_the_month_that_is_asked_here() -> None:
    command = f"weir demo --calls-scale {CALLS_SCALE:g} --end {END:%Y-%m-%d}"
    assert f"```sh\n{command}\n```" in PAGE.read_text(encoding="utf-8")
    assert SEED == 1
    assert DAYS == 30


def test_what_is_to_be_clicked_is_there() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    panels = {panel.title for each in boards() for panel in each.panels}
    named = set(re.findall(r"(?<!\*)\*([^*`]+\?)\*", text))
    assert len(named) >= 10
    assert named <= panels
    for number in range(1, 11):
        for address in re.findall(r"`(/\?board=[^`]+)`", section(number)):
            query = URL(address).query
            assert board(query["board"]).panel(query["panel"]).title in section(number), address
            assert set(query) <= {"board", "panel", "since", "until", "by", "then_by", *VARIABLES}
    # Where the page says that a click leads to another board, it does.
    assert board("fleet").panel("movers").drill_down == "spend"
    assert board("fleet").panel("forecast").drill_down == "budgets"
    assert board("fleet").panel("unpriced").drill_down == "spend"
    going = board("migrations").panel("retirements")
    assert next(field for field in going.fields if field.name == "model").variable == "model"
    assert not going.drill_down


async def test_1_the_team_that_moved_most_is_the_one_whose_loop_has_ended(tenth: Month) -> None:
    movers, steps = await asked(tenth, 1)
    now, before = between(tenth.calls, WEEK, END), between(tenth.calls, WEEK - timedelta(days=7), WEEK)
    (loop,) = tenth.story.of_kind("runaway_loop")
    change: defaultdict[str, Decimal] = defaultdict(Decimal)
    for call in now + before:
        change[call["team"]] += (call["cost"] or 0) * (1 if call["time"] >= WEEK else -1)
    moved = max(change, key=lambda team: abs(change[team]))
    assert (movers[0]["team"], movers[0]["service"]) == (loop.scope["team"], loop.scope["service"])
    assert moved == loop.scope["team"]
    assert WEEK - timedelta(days=7) <= loop.started_at < WEEK
    was, is_now = spent(of(before, **loop.scope)), spent(of(now, **loop.scope))
    assert (Decimal(movers[0]["usd_before"]), Decimal(movers[0]["usd"])) == (was, is_now)
    says(1, loop.scope["team"], loop.scope["service"], usd(was), usd(is_now), usd(is_now - was))
    (first,) = (row for row in steps if row["name"] == loop.scope["service"])
    assert first == steps[0]
    assert Decimal(first["usd_change"]) == is_now - was
    calls_of = [
        len([call for call in of(each, **loop.scope) if call["cost"] is not None]) for each in (before, now)
    ]
    # One model, one tier: the step of the calls is their number at the earlier mean.
    assert Decimal(first["usd_by_calls"]) == pytest.approx(
        was * calls_of[1] / calls_of[0] - was, abs=Decimal("0.000000001")
    )
    says(1, usd(first["usd_by_calls"]), f"{calls_of[0]:,}", f"{calls_of[1]:,}", "12 November")


async def test_2_the_month_costs_what_is_spent_and_what_such_hours_cost(tenth: Month) -> None:
    ((row,),) = await asked(tenth, 2)
    by_hour: defaultdict[datetime, Decimal] = defaultdict(Decimal)
    for call in tenth.calls:
        by_hour[call["time"].replace(minute=0, second=0, microsecond=0)] += call["cost"] or 0
    so_far = sum((by_hour[hour] for hour in by_hour if hour >= END.replace(day=1)), Decimal(0))
    to_come = Decimal(0)
    hour = END
    while hour < datetime(2026, 12, 1, tzinfo=UTC):
        same = [hour - timedelta(weeks=weeks) for weeks in range(1, 7)]
        to_come += sum((by_hour[each] for each in [one for one in same if one < END][:4]), Decimal(0)) / 4
        hour += timedelta(hours=1)
    assert Decimal(row["usd_spent"]) == so_far
    assert Decimal(row["usd_to_come"]) == pytest.approx(to_come, abs=Decimal("0.000000001"))
    says(2, usd(row["usd"]), usd(so_far), usd(to_come))


async def test_3_the_price_cut_saved_what_the_old_price_would_have_charged(tenth: Month) -> None:
    ((row,), (volume,)) = await asked(tenth, 3)
    (cut,) = tenth.story.of_kind("price_cut")
    book = book_of(FleetSimulation(seed=SEED, end=END, days=DAYS, calls_scale=CALLS_SCALE).price_file)
    since = cut.started_at.replace(minute=0) + timedelta(hours=1)
    calls = [
        call
        for call in of(between(tenth.calls, since, END), **cut.scope)
        if call["cost"] is not None and call.get("service_tier", "standard") == "standard"
    ]
    plain = dict.fromkeys(TOKEN_FIELDS, 0) | {
        "service_tier": "standard",
        "region": "",
        "units": {},
        "tags": {},
    }
    plain |= {"reported_cost": None, "reported_currency": ""}
    earlier = {"time": cut.started_at - timedelta(days=1)}
    picos = sum(book.price(SimpleNamespace(**plain | call | earlier)).cost_picos or 0 for call in calls)
    saved = Decimal(picos).scaleb(-12) - spent(calls)
    assert (row["vendor"], row["model"], row["all_calls"]) == (*cut.scope.values(), len(calls))
    assert Decimal(row["usd_paid"]) == spent(calls)
    assert Decimal(row["usd_saved"]) == saved
    says(
        3,
        cut.scope["model"],
        usd(saved),
        usd(spent(calls)),
        usd(Decimal(picos).scaleb(-12)),
        f"{len(calls):,}",
    )
    shares = []
    for first in (cut.started_at - timedelta(days=7), cut.started_at):
        # Whole hours, as the ledger has them.
        begin = first.replace(minute=0) + timedelta(hours=1)
        week = between(tenth.calls, max(BEGIN, begin), begin + timedelta(days=7))
        shares.append(100 * len(of(week, **cut.scope)) / len(week))
    assert [volume["calls_percent_before"], volume["calls_percent_after"]] == pytest.approx(shares)
    says(3, *(f"{share:.1f} %" for share in shares))


async def test_4_who_is_still_on_a_model_and_who_left_it_last(tenth: Month) -> None:
    rows, left = await asked(tenth, 4)
    model = Catalog.default().model("anthropic", "claude-sonnet-4-5", on=END.date())
    assert model is not None
    assert model.retires_on is not None
    days_left = (model.retires_on - END.date()).days
    week = of(
        between(tenth.calls, END - timedelta(days=6), END), vendor="anthropic", model="claude-sonnet-4-5"
    )
    users = Counter((call["team"], call["service"]) for call in week)
    assert {(row["team"], row["service"]): row["week_calls"] for row in rows} == users
    for row in rows:
        assert row["days_left"] == days_left
        mine = spent(of(week, team=row["team"], service=row["service"]))
        assert Decimal(row["usd_per_day"]) == pytest.approx(mine / 6, abs=Decimal("0.000000000002"))
        says(4, f"{row['team']} / {row['service']}", f"{row['week_calls']:,} calls", usd(row["usd_per_day"]))
    says(4, f"{days_left} days", "30 November")
    (retirement,) = tenth.story.of_kind("retirement")
    laggard = max(retirement.moves, key=lambda move: move.started_at).scope
    assert {(row["name"], row["then_name"]) for row in left} == {(laggard["team"], laggard["service"])}
    day = of(between(tenth.calls, datetime(2026, 11, 10, tzinfo=UTC), END), **retirement.scope)
    assert sum(row["all_calls"] for row in left) == len(day)
    says(4, f"{laggard['team']} / {laggard['service']}", f"{len(day)} calls")


async def test_5_the_new_model_is_slower(tenth: Month) -> None:
    (rows,) = await asked(tenth, 5)
    move = next(
        move
        for incident in tenth.story.of_kind("price_cut")
        for move in incident.moves
        if move.scope["team"] == "checkout"
    )
    sides = {(move.from_vendor, move.from_model), (move.to_vendor, move.to_model)}
    assert {(row["vendor"], row["model"]) for row in rows} == sides
    for row in rows:
        mine = of(tenth.calls, **move.scope, vendor=row["vendor"], model=row["model"])
        took = [call["duration_ms"] for call in mine if call.get("duration_ms") is not None]
        cuts = quantiles(took, n=100, method="inclusive")
        assert row["p50_ms"] == pytest.approx(cuts[49], rel=0.02)
        assert row["p95_ms"] == pytest.approx(cuts[94], rel=0.05)
        assert row["all_calls"] == len(mine)
        assert row["failed_percent"] == pytest.approx(100 * len(failed(mine)) / len(mine))
        says(5, row["model"], f"{len(mine):,}", f"{100 * len(failed(mine)) / len(mine):.1f} %")
        said = [
            float(one)
            for one in re.findall(rf"\| {re.escape(row['model'])} \|.*?([\d.]+) s \| ([\d.]+) s", section(5))[
                0
            ]
        ]
        # A digest does not give the same last digit in each run.
        assert said == pytest.approx([row["p50_ms"] / 1000, row["p95_ms"] / 1000], rel=0.02)


async def test_6_one_model_has_no_price(tenth: Month) -> None:
    (row,), models = await asked(tenth, 6)
    without = [call for call in tenth.calls if call["cost"] is None]
    assert {(call["vendor"], call["model"]) for call in without} == {
        (each["vendor"], each["model"]) for each in models
    }
    assert (row["without_price"], row["models"]) == (len(without), 1)
    assert row["tokens"] == tokens(without)
    assert row["share_percent"] == pytest.approx(100 * len(without) / len(tenth.calls))
    says(6, without[0]["model"], without[0]["team"], f"{len(without):,} calls", f"{tokens(without):,} tokens")
    says(6, f"{100 * len(without) / len(tenth.calls):.1f} %")


async def test_7_at_eight_in_the_morning_a_service_called_in_a_loop(tenth: Month) -> None:
    (rows,) = await asked(tenth, 7)
    (loop,) = tenth.story.of_kind("runaway_loop")
    eight = datetime(2026, 11, 12, 8, tzinfo=UTC)
    assert loop.started_at < eight < eight + timedelta(hours=1) < loop.ended_at
    hour = between(tenth.calls, eight, eight + timedelta(hours=1))
    mine = of(hour, **loop.scope)
    shown = [row for row in rows if "T08:" in row["time"]]
    name = f"{loop.scope['team']} / {loop.scope['service']}"
    assert sum(row["all_calls"] for row in shown) == len(hour)
    assert sum(Decimal(row["usd"]) for row in shown) == spent(hour)
    of_loop = [row for row in shown if row["name"] == name]
    assert sum(row["all_calls"] for row in of_loop) == len(mine)
    assert sum(Decimal(row["usd"]) for row in of_loop) == spent(mine)
    day_before = of(
        between(tenth.calls, eight - timedelta(days=1), eight - timedelta(hours=23)), **loop.scope
    )
    says(7, name, f"{len(mine)} of the {len(hour)} calls", f"{usd(spent(mine))} of {usd(spent(hour))}")
    assert not day_before
    high = [row["time"][11:16] for row in rows if row["name"] == name and row["all_calls"] > 10]
    assert high == ["07:00", "08:00", "09:00"]
    says(7, "none in that hour of the day before", "from 07:00 to 10:00", f"{loop.started_at:%H:%M}")
    says(7, f"{loop.ended_at:%H:%M}")


async def test_8_what_a_million_tokens_cost_at_each_vendor(tenth: Month) -> None:
    (rows,) = await asked(tenth, 8)
    calls: defaultdict[str, list[Call]] = defaultdict(list)
    for call in tenth.calls:
        if call["cost"] is not None:
            calls[call["vendor"]].append(call)
    assert {row["vendor"] for row in rows} == set(calls)
    for row in rows:
        mine = calls[row["vendor"]]
        rate = spent(mine) * 1_000_000 / tokens(mine)
        assert (Decimal(row["usd"]), row["tokens"]) == (spent(mine), tokens(mine))
        assert Decimal(row["usd_per_million"]) == pytest.approx(rate, abs=Decimal("0.000000000002"))
        says(8, f"| {row['vendor']} | {usd(rate)} | {usd(spent(mine))} |")


async def test_9_what_caching_saved(tenth: Month) -> None:
    (row,), models = await asked(tenth, 9)
    without = {"cache_read_tokens": 0, "cache_write_tokens": 0, "cache_write_1h_tokens": 0}
    by_model: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in tenth.calls:
        if call["cost"] is not None and (call.get("cache_read_tokens") or call.get("cache_write_tokens")):
            by_model[call["vendor"], call["model"]].append(call)
    known: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    unknown: Counter[tuple[str, str]] = Counter()
    for each in models:
        known[each["vendor"], each["model"]] += Decimal(each["usd_saved"] or 0)
        unknown[each["vendor"], each["model"]] += each["not_known_tokens"]
    assert sum(known.values()) == Decimal(row["usd_saved"])
    whole = {model for model in known if not unknown[model]}
    assert len(whole) > len(known) / 2
    for model in whole:
        if model[0] in ("anthropic", "openai", "google"):
            calls = by_model[model]
            assert known[model] == pytest.approx(
                sum((list_cost(call, **without) - list_cost(call) for call in calls), Decimal(0)),
                abs=Decimal("0.000001"),
            )
    says(9, usd(row["usd_saved"]), usd(row["usd_by_reads"]), usd(row["usd_for_writes"]))
    share = 100 * row["not_known_tokens"] / (row["known_tokens"] + row["not_known_tokens"])
    says(9, f"{share:.1f} %")


async def test_10_the_pipeline_is_not_behind(tenth: Month) -> None:
    ((row,),) = await asked(tenth, 10)
    newest = max(call["time"] for call in tenth.calls)
    assert row["newest_at"] == newest.isoformat().replace("+00:00", "Z")
    assert row["behind_seconds"] == pytest.approx((END - newest).total_seconds(), abs=1)
    says(10, f"{row['behind_seconds']:.0f} s", f"{newest:%H:%M:%S}")
