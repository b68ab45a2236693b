"""Budgets in the ledger: the table says what the settings say, and what is spent of each is exact in any time zone."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from sinks.clickhouse import ClickHouseLedger, LedgerClient
from sinks.clickhouse.budgets import (
    budget_standings,
    first_hours,
    forecast_usd,
    hours_of,
    write_budgets,
)
from streams.detectors.budget_period import period_of
from streams.groups import EPOCH, MINUTE
from tests.signals.test_signals import a_signal
from tokenweir.cli.budgets import budgets as budgets_command
from tokenweir.cli.operate import migrate as migrate_command
from tokenweir.local.budget_tables import fill_budgets, period_bounds
from tokenweir.settings import BudgetSettings, ClickHouseSettings
from tokenweir.signals import encode_signal
from tokenweir.usage.wire import encode_metered

NOW = datetime.now(UTC).replace(microsecond=0)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns")
TEAMS = ("search", "ads", "")
MODELS = ("gpt-5-mini", "our-8b")

Call = dict[str, Any]


def budget(amount: str = "100", **fields: Any) -> BudgetSettings:
    return BudgetSettings(amount_usd=Decimal(amount), **fields)


def a_call(number: int, time: datetime, cost: str | None = "1", **names: str) -> Call:
    return {
        "id": f"call-{number}",
        "source": "test",
        "time": time,
        "vendor": "openai",
        "model": "gpt-5-mini",
        "tenant": "acme",
        "metered_at": NOW,
        "version": 1,
        "cost": None if cost is None else Decimal(cost),
        "price_status": "unpriced" if cost is None else "list",
        **names,
    }


def store(ledger: ClickHouseLedger, calls: Sequence[Call], block: int = 0) -> None:
    ledger.write_events(b"\n".join(encode_metered(call) for call in calls), f"block {block}")


def present(settings: BudgetSettings, now: datetime = NOW) -> tuple[datetime, datetime]:
    """The period that is now, as the detector of budgets has it."""
    period = period_of((now - EPOCH) // MINUTE, settings.period, settings.time_zone)
    return EPOCH + period.start * MINUTE, EPOCH + period.end * MINUTE


def test_the_table_says_what_the_settings_say(ledger_client: LedgerClient) -> None:
    wanted = {
        "month": budget("5000.000000000001", scope={"team": "search"}, time_zone="Europe/Berlin"),
        "day": budget("20", period="day", thresholds_percent=[99.5, 50], forecast=False),
    }
    assert fill_budgets(ledger_client, wanted, NOW) == 2
    assert fill_budgets(ledger_client, wanted, NOW + timedelta(days=1)) == 0
    names = "name, amount_usd, scope, period, time_zone, thresholds_percent, forecast, burn_rate"
    assert ledger_client.query(f"SELECT {names} FROM budgets FINAL ORDER BY name") == [
        ("day", Decimal(20), {}, "day", "UTC", [50.0, 99.5], False, True),
        (
            "month",
            Decimal("5000.000000000001"),
            {"team": ["search"]},
            "month",
            "Europe/Berlin",
            [50.0, 80.0, 100.0],
            True,
            True,
        ),
    ]
    changed = {"month": budget("5000.000000000002", scope={"team": "search"}, time_zone="Europe/Berlin")}
    assert fill_budgets(ledger_client, changed, NOW) == 2
    assert fill_budgets(ledger_client, changed, NOW) == 0
    assert ledger_client.query("SELECT name, is_removed FROM budgets FINAL ORDER BY name") == [
        ("day", True),
        ("month", False),
    ]
    assert [row["name"] for row in budget_standings(ledger_client)] == ["month"]
    assert fill_budgets(ledger_client, {}, NOW) == 1
    assert budget_standings(ledger_client) == []
    assert fill_budgets(ledger_client, wanted, NOW) == 2


def test_what_is_spent_is_exact_at_the_edges_of_every_period_and_zone(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    dice = random.Random(7)
    scopes: list[dict[str, str]] = [
        {},
        {"team": "search"},
        {"tenant": "umbrella"},
        {"team": "", "model": "our-8b"},
    ]
    wanted = {
        f"{period} {zone} {number}": budget(
            str(dice.randint(1, 500)), scope=scope, period=period, time_zone=zone
        )
        for period in ("day", "week", "month", "quarter")
        for zone in ZONES
        for number, scope in enumerate(scopes)
    }
    fill_budgets(ledger_client, wanted, NOW)
    moments = [NOW - timedelta(seconds=dice.randint(0, 100 * 86_400)) for _ in range(200)]
    for settings in wanted.values():
        for bound in present(settings):
            moments += [bound + timedelta(seconds=shift) for shift in (-3_600, -61, -1, 0, 59, 1_800, 3_599)]
    calls = [
        a_call(
            number,
            moment,
            None if dice.random() < 0.1 else f"{dice.randint(0, 10**15)}e-12",
            tenant=dice.choice(("acme", "umbrella")),
            team=dice.choice(TEAMS),
            model=dice.choice(MODELS),
        )
        for number, moment in enumerate(moments)
    ]
    store(ledger, calls)
    _assert_standing(ledger_client, wanted, calls)
    ledger.keep(max(moments) + timedelta(days=2))
    store(ledger, calls[: len(calls) // 2], 1)  # again: some minutes are rolled up, others are to be
    _assert_standing(ledger_client, wanted, calls)


def _assert_standing(client: LedgerClient, wanted: dict[str, BudgetSettings], calls: Sequence[Call]) -> None:
    before = datetime.now(UTC)
    rows = budget_standings(client)
    after = datetime.now(UTC)
    expected: dict[tuple[str, str], list[Call]] = {}
    for name, settings in wanted.items():
        (begins, ends), *others = {
            (row["period_start"], row["period_end"]) for row in rows if row["name"] == name
        }
        assert not others
        assert (begins, ends) in (present(settings, before), present(settings, after))
        for call in calls:
            is_within = all(call.get(field, "") == value for field, value in settings.scope.items())
            if is_within and begins <= call["time"] < ends:
                expected.setdefault((name, call["tenant"]), []).append(call)
    of_nobody = wanted.keys() - {name for name, _ in expected}
    for name in of_nobody:
        expected[name, wanted[name].scope.get("tenant", "")] = []
    found = {(row["name"], row["tenant"]): row for row in rows}
    assert found.keys() == expected.keys()
    for (name, tenant), mine in expected.items():
        row = found[name, tenant]
        spent = sum((call["cost"] or Decimal(0) for call in mine), Decimal(0))
        assert (row["spent_usd"], row["calls"]) == (spent, len(mine)), name
        assert row["unpriced_calls"] == sum(call["cost"] is None for call in mine)
        assert row["remaining_usd"] == wanted[name].amount_usd - spent
        assert row["percent"] == pytest.approx(float(100 * spent / wanted[name].amount_usd), abs=1e-4)


def test_a_scope_may_name_several_values_and_bounds_may_be_outlived(
    ledger_client: LedgerClient, ledger: ClickHouseLedger
) -> None:
    fill_budgets(ledger_client, {"both": budget(scope={"team": "search"}, period="quarter")}, NOW)
    ledger_client.command(
        "INSERT INTO budgets SELECT * REPLACE (map('team', ['search', 'ads']) AS scope, "
        "written_at + toIntervalMicrosecond(1) AS written_at) "
        "FROM budgets"
    )
    store(ledger, [a_call(number, NOW, team=team) for number, team in enumerate(TEAMS)])
    (row,) = budget_standings(ledger_client)
    assert row["spent_usd"] == 2

    past = [NOW - timedelta(days=days) for days in (2, 1)]
    write_budgets(ledger_client, {"old": budget()}, {"old": past})
    assert budget_standings(ledger_client) == []
    fill_budgets(ledger_client, {"old": budget()}, NOW)
    assert [row["name"] for row in budget_standings(ledger_client)] == ["old"]


@pytest.mark.parametrize("zone", [*ZONES, "America/Asuncion", "Australia/Lord_Howe"])
@pytest.mark.parametrize("period", ["day", "week", "month", "quarter"])
def test_the_bounds_are_those_of_the_detectors_periods(period: Any, zone: str) -> None:
    bounds = period_bounds(budget(period=period, time_zone=zone), datetime(2026, 6, 1, tzinfo=UTC))
    assert bounds[0] <= datetime(2025, 1, 1, tzinfo=UTC)
    assert bounds[-1] >= datetime(2029, 1, 1, tzinfo=UTC)
    for begins, ends in pairwise(bounds):
        assert period_of((begins - EPOCH) // MINUTE, period, zone).end == (ends - EPOCH) // MINUTE
        assert begins.astimezone(ZoneInfo(zone)).hour in (0, 1)


def _flat(usd: str, first: int, until: int) -> dict[int, Decimal]:
    return {hour: Decimal(usd) for hour in range(first, until)}


def test_a_forecast_takes_the_hours_to_come_at_their_weekdays_mean() -> None:
    now = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)  # a Wednesday
    present_hour = int(now.timestamp()) // 3600
    hours = _flat("1", present_hour - 672, present_hour)
    for hour in list(hours):
        if (EPOCH + timedelta(hours=hour)).weekday() >= 5:
            del hours[hour]
    ends = datetime(2026, 12, 1, tzinfo=UTC)
    # half of this hour, eleven hours of Wednesday, then Thursday, Friday and Monday
    assert forecast_usd(Decimal(500), hours, 0, now, ends) == Decimal("583.50")
    assert forecast_usd(Decimal(500), {}, 0, now, ends) == 500
    assert forecast_usd(Decimal(7), hours, 0, now, now + timedelta(minutes=15)) == Decimal("7.25")


def test_a_forecast_looks_no_further_back_than_is_known() -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    present_hour = int(now.timestamp()) // 3600
    ends = now + timedelta(days=30)
    hours = _flat("2", present_hour - 200, present_hour)
    assert forecast_usd(Decimal(0), hours, present_hour - 201, now, ends) == 2 * 720
    assert forecast_usd(Decimal(0), hours, present_hour - 168, now, ends) is None


def test_hours_of_a_scope(ledger_client: LedgerClient, ledger: ClickHouseLedger) -> None:
    hour = int(NOW.timestamp()) // 3600
    begun = EPOCH + timedelta(hours=hour)
    store(
        ledger,
        [
            a_call(1, begun - timedelta(seconds=1), "0.1", team="search"),
            a_call(2, begun - timedelta(seconds=2), "0.2", team="search", tenant="umbrella"),
            a_call(3, begun - timedelta(days=28), "0.4", team="search"),
            a_call(4, begun - timedelta(days=28, seconds=1), "0.8", team="search"),
            a_call(5, begun, "1.6", team="search"),
            a_call(6, begun - timedelta(seconds=1), "3.2", team="ads"),
            a_call(7, begun - timedelta(seconds=1), None, team="search", tenant="third"),
        ],
    )
    assert hours_of(ledger_client, {"team": ["search"]}, NOW) == {
        "acme": {hour - 1: Decimal("0.1"), hour - 672: Decimal("0.4")},
        "umbrella": {hour - 1: Decimal("0.2")},
    }
    assert first_hours(ledger_client) == {"acme": hour - 673, "umbrella": hour - 1, "third": hour - 1}


@pytest.fixture
def ask(
    ledger_client: LedgerClient,
    ledger_settings: ClickHouseSettings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> Callable[..., str]:
    """`weir budgets` on this ledger."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKENWEIR_CLICKHOUSE__DSN", ledger_settings.dsn.get_secret_value())
    monkeypatch.setenv("TOKENWEIR_CLICKHOUSE__DATABASE", ledger_settings.database)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(budgets_command, list(arguments))
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_weir_budgets_shows_where_each_stands(
    ledger_client: LedgerClient,
    ledger: ClickHouseLedger,
    ask: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "no budget is set" in ask()
    assert json.loads(ask("--json")) == []
    settings = budget("10", scope={"team": "search"}, period="quarter")
    fill_budgets(ledger_client, {"search quarter": settings, "all": budget("1000")}, NOW)
    store(ledger, [a_call(1, NOW, "8.25", team="search"), a_call(2, NOW, None, team="search")])
    signals = [
        a_signal(kind="budget", subject="search quarter 80%", evidence={"budget": "search quarter"}),
        a_signal(
            id="other/0", incident="other", fingerprint="other", kind="budget", evidence={"budget": "search"}
        ),
    ]
    ledger.write_signals(b"\n".join(map(encode_signal, signals)), "signals")
    rows = {row["name"]: row for row in json.loads(ask("--json"))}
    mine = rows["search quarter"]
    assert (mine["tenant"], mine["spent_usd"], mine["remaining_usd"]) == ("acme", "8.25", "1.75")
    assert (mine["percent"], mine["unpriced_calls"], mine["forecast_usd"]) == (82.5, 1, None)
    assert [one["subject"] for one in mine["open_signals"]] == ["search quarter 80%"]
    assert rows["all"]["open_signals"] == []
    shown = ask()
    assert "team=search" in shown
    assert "82.5" in shown

    monkeypatch.setenv("TOKENWEIR_DETECTION__BUDGETS", '{"there": {"amount_usd": 5}}')
    done = CliRunner().invoke(budgets_command, [])
    assert done.exit_code == 0
    assert "weir migrate" in done.stderr
    assert "search quarter" in done.stdout

    if not ledger_client.embedded:  # the whole price book is written, which is the same on both
        return
    told = CliRunner().invoke(migrate_command, ["--json"])
    assert (told.exit_code, json.loads(told.stdout)["budgets"]) == (0, 3)
    again = CliRunner().invoke(budgets_command, ["--json"])
    assert [row["name"] for row in json.loads(again.stdout)] == ["there"]
    assert again.stderr == ""
