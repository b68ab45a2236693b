"""The figures of the board of migrations: moves as they were told, models as the catalog has them, calls by hand."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from tests.panels.month import END, Month
from tests.panels.saying import said
from tokenweir.catalog import Catalog
from tokenweir.signals import Severity, Signal

PERIOD = rolling_period("30d", END)
WEEK = END - timedelta(days=6)
"""The board's last seven days, the last of which has just begun."""

WORKLOAD = ("tenant", "team", "project", "service", "environment")


def _side(calls: int, usd: str | None, output_usd: str | None, p50_ms: float | None) -> dict[str, Any]:
    return {
        "calls": calls,
        "cost_usd_per_call": usd,
        "cost_usd_per_1000_output_tokens": output_usd,
        "input_tokens_per_call": 1200.5,
        "output_tokens_per_call": 80.0,
        "duration_p50_ms": p50_ms,
        "duration_p95_ms": 9000.0,
        "ttft_p50_ms": None,
        "failed_share": 0.125,
    }


def _move(
    name: str,
    scope: dict[str, str],
    stage: str,
    moved: float,
    calls_per_day: float,
    usd: str | None,
    began: datetime,
) -> Signal:
    severity: Severity = "info"
    return said(
        name,
        "open",
        began + timedelta(hours=5),
        kind="migration",
        subject="openai/old>groq/new",
        severity=severity,
        scope=scope,
        usd_per_day=usd,
        value=moved,
        began=began,
        evidence={
            "stage": stage,
            "from": "openai/old",
            "to": "groq/new",
            "source_share_before": 0.5,
            "calls_per_day": calls_per_day,
            "before": _side(100, "0.000000123457", "0.0015", 4000.0),
            "after": _side(90, None if usd is None else "0.0000001", None, 2500.5),
            "causes": [
                {"kind": "price_cut", "about": "groq/new", "on": "2026-11-01", "text": "the price fell"}
            ],
            "curve": [
                [(began + timedelta(hours=6 * number)).isoformat(), round(moved * number / 4, 3)]
                for number in range(5)
            ],
        },
    )


STAGING = {"team": "search", "service": "answers", "environment": "staging"}
MOVES = [
    _move(
        "whole",
        STAGING,
        "complete",
        1.02,
        1000.0,
        "-4.25",
        END - timedelta(days=9),
    ),
    _move("half", {"team": "ads", "service": "copy"}, "half_way", 0.5, 400.0, "1.5", END - timedelta(days=3)),
    _move("unknown", {"team": "people"}, "started", 0.25, 80.0, None, END - timedelta(days=2)),
    _move("back", {"team": "sales"}, "reversed", 0.0, 900.0, "7", END - timedelta(days=5)),
]


@pytest.fixture(scope="module")
def told(month: Month) -> Month:
    month.signals(MOVES)
    return month


async def _rows(month: Month, panel: str, **choice: Any) -> list[dict[str, Any]]:
    return await month.rows(board("migrations").panel(panel), Choice(PERIOD, **choice), END)


async def test_moves_are_counted_by_stage_and_their_dollars_added_up(told: Month) -> None:
    assert await _rows(told, "moving") == [{"migrations": 4, "under_way": 2, "complete": 1, "reversed": 1}]
    assert await _rows(told, "move-dollars") == [
        {"usd_per_day": "-2.75", "dearer_usd_per_day": "1.5", "cheaper_usd_per_day": "-4.25", "unknown": 1}
    ]
    (narrowed,) = await _rows(told, "move-dollars", where={"team": ["people"]})
    assert narrowed["usd_per_day"] is None


async def test_a_flow_is_what_has_moved_of_what_was_asked(told: Month) -> None:
    (row,) = await _rows(told, "flows")
    assert (row["source"], row["target"], row["workloads"]) == ("openai/old", "groq/new", 3)
    assert row["calls_per_day"] == 500 + 100 + 10
    assert row["usd_per_day"] == "-2.75"


async def test_the_list_of_moves_has_their_causes_and_curves(told: Month) -> None:
    rows = await _rows(told, "migrations")
    assert [row["incident"] for row in rows] == ["unknown", "half", "back", "whole"]
    assert [row["moved_percent"] for row in rows] == [25.0, 50.0, 0.0, 100.0]
    assert (rows[1]["service"], rows[1]["stage"], rows[1]["likely_cause"]) == (
        "copy",
        "half-way",
        "the price fell",
    )
    curves = await _rows(told, "curves")
    half = [row["moved_percent"] for row in curves if row["name"] == "ads/copy → groq/new"]
    assert half == [0.0, 12.5, 25.0, 37.5, 50.0]
    assert len(curves) == 20


async def test_before_and_after_are_those_of_the_evidence(told: Month) -> None:
    cost = {row["incident"]: row for row in await _rows(told, "cost-before-after")}
    assert cost["whole"]["workload"] == "search/answers (staging)"
    assert (cost["half"]["usd_before"], cost["half"]["usd_after"]) == ("0.000123457", "0.0001")
    assert (cost["half"]["output_usd_before"], cost["half"]["output_usd_after"]) == ("1.5", None)
    assert cost["unknown"]["usd_after"] is None
    latency = {row["incident"]: row for row in await _rows(told, "latency-before-after")}
    assert (latency["half"]["p50_before_ms"], latency["half"]["p50_after_ms"]) == (4000.0, 2500.5)
    assert latency["half"]["first_token_after_ms"] is None
    assert latency["half"]["failed_before_percent"] == 12.5


async def test_shares_of_a_step_add_up(month: Month) -> None:
    calls = Counter(f"{call['vendor']}/{call['model']}" for call in month.within(PERIOD))
    rows = await _rows(month, "shares")
    found: Counter[str] = Counter()
    percents: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        found[row["name"]] += row["all_calls"]
        percents[row["time"]] += row["share_percent"]
    named = dict(sorted(calls.items(), key=lambda one: (-one[1], one[0]))[:7])
    others = found.pop("all others")
    assert found == named
    assert others == calls.total() - sum(named.values())
    assert all(percent == pytest.approx(100) for percent in percents.values())


async def test_adoption_counts_the_workloads_of_a_model(month: Month) -> None:
    users: defaultdict[tuple[int, str], set[Any]] = defaultdict(set)
    everybody: defaultdict[int, set[Any]] = defaultdict(set)
    for call in month.within(PERIOD):
        step = int((call["time"] - PERIOD.since).total_seconds()) // PERIOD.step_seconds
        workload = tuple(call.get(name, "") for name in WORKLOAD)
        users[step, f"{call['vendor']}/{call['model']}"].add(workload)
        everybody[step].add(workload)
    rows = await _rows(month, "adoption")
    assert len({row["name"] for row in rows}) == 7
    for row in rows:
        step = PERIOD.starts.index(datetime.fromisoformat(row["time"]))
        assert row["workloads"] == len(users[step, row["name"]])
        assert row["workloads_percent"] == pytest.approx(100 * row["workloads"] / len(everybody[step]))


def _is_going(vendor: str, name: str) -> bool:
    model = Catalog.default().model(vendor, name, on=END.date())
    if model is None:
        return False
    left = None if model.retires_on is None else (model.retires_on - END.date()).days
    is_announced = left is not None and left <= 180 and model.deprecated_on is None
    return is_announced or model.state_on(END.date()) in ("deprecated", "retired")


async def test_models_that_go_are_those_of_the_catalog(month: Month) -> None:
    week = [call for call in month.calls if WEEK <= call["time"] < END]
    calls, usd = Counter[Any](), Counter[Any]()
    users: defaultdict[Any, set[Any]] = defaultdict(set)
    for call in week:
        key = (call["vendor"], call["model"])
        calls[key] += 1
        usd[key] += call["cost"] or Decimal(0)
        users[key].add(tuple(call.get(name, "") for name in WORKLOAD))
    going = {key for key in calls if _is_going(*key)}
    rows = await _rows(month, "retirements")
    assert {(row["vendor"], row["model"]) for row in rows} == going
    assert len(going) >= 5
    for row in rows:
        key = (row["vendor"], row["model"])
        assert (row["week_calls"], row["workloads"]) == (calls[key], len(users[key]))
        assert Decimal(row["usd_per_day"]) == pytest.approx(usd[key] / 6, abs=Decimal("0.000000000002"))
        model = Catalog.default().model(*key, on=END.date())
        assert model is not None
        assert row["retires_on"] == (None if model.retires_on is None else str(model.retires_on))
        assert row["days_left"] == (
            None if model.retires_on is None else (model.retires_on - END.date()).days
        )
    (stat,) = await _rows(month, "exposed")
    assert stat["models"] == len(going)
    assert stat["calls_percent"] == pytest.approx(100 * sum(calls[key] for key in going) / len(week))
    assert Decimal(stat["usd_per_day"]) == pytest.approx(
        sum((usd[key] for key in going), Decimal(0)) / 6, abs=Decimal("0.000000000002")
    )
    still = await _rows(month, "still-on")
    assert sum(row["week_calls"] for row in still) == sum(calls[key] for key in going)


async def test_new_models_were_never_called_before(month: Month) -> None:
    first: dict[Any, datetime] = {}
    calls, usd = Counter[Any](), Counter[Any]()
    for call in month.calls:
        key = (call["vendor"], call["model"])
        first[key] = min(first.get(key, call["time"]), call["time"])
        calls[key] += 1
        usd[key] += call["cost"] or Decimal(0)
    begin = min(call["time"] for call in month.calls).date()
    new = {key for key, at in first.items() if at.date() >= PERIOD.since.date() and at.date() > begin}
    rows = await _rows(month, "new-models")
    assert {(row["vendor"], row["model"]) for row in rows} == new
    assert 0 < len(new) < len(first)
    for row in rows:
        key = (row["vendor"], row["model"])
        assert (row["first_day"], row["all_calls"]) == (str(first[key].date()), calls[key])
        assert Decimal(row["usd"] or 0) == usd[key]
