"""The figures of the board of incidents equal what was said, counted by hand."""

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards.panels.question import Choice
from dashboards.panels.registry import board
from dashboards.period import rolling_period
from producers.simulation.simulation import DEFAULT_TENANT
from tests.panels.month import END, Month
from tests.panels.saying import said
from tokenweir.signals import Contributor, Severity, Signal

PERIOD = rolling_period("7d", END)
FAILED = ("error", "rate_limited", "timeout")


def _incident(
    name: str,
    began: datetime,
    ended: datetime | None,
    *,
    kind: str,
    severity: Severity,
    scope: dict[str, str],
    usd: str | None,
    causes: tuple[Contributor, ...] = (),
) -> list[Signal]:
    seen = began + timedelta(minutes=10)
    common: dict[str, Any] = {
        "kind": kind,
        "severity": severity,
        "scope": scope,
        "usd_per_day": usd,
        "began": began,
        "contributors": causes,
    }
    told = [
        said(name, "open", seen, **{**common, "usd_per_day": "1"}),
        said(name, "update", seen, number=1, **common),
    ]
    return told if ended is None else [*told, said(name, "resolved", ended, number=2, **common)]


LOOP = {"team": "search", "service": "answers"}
CAUSES = (
    Contributor(component="calls", scope=LOOP, usd_per_day=Decimal("40.25"), text="more calls"),
    Contributor(component="tokens_per_call", scope=LOOP, usd_per_day=Decimal("2.5"), text="longer calls"),
    Contributor(component="errors", text="nobody knows the dollars"),
)
SAID = [
    _incident(
        "loop", END - timedelta(days=2), None,
        kind="cost_spike", severity="critical", scope=LOOP, usd="42.75", causes=CAUSES,
    ),
    _incident(
        "quiet", END - timedelta(days=5), END - timedelta(days=4),
        kind="cost_spike", severity="warning", scope={"tenant": DEFAULT_TENANT, "vendor": "openai"}, usd=None,
    ),
    _incident(
        "outage", END - timedelta(days=9), END - timedelta(days=6),
        kind="errors", severity="warning", scope={"vendor": "groq"}, usd="-7.5",
    ),
    _incident(
        "leaving", END - timedelta(days=20), None,
        kind="retirement", severity="info", scope={"vendor": "openai", "model": "gpt-4"}, usd="12.000000000001",
    ),
    _incident(
        "long-ago", END - timedelta(days=20), END - timedelta(days=19),
        kind="errors", severity="critical", scope={"vendor": "openai"}, usd="99",
    ),
    _incident(
        "last-week", END - timedelta(days=10), END - timedelta(days=9),
        kind="cost_spike", severity="info", scope={"team": "ads"}, usd="5",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def told(month: Month) -> Month:
    month.signals([signal for each in SAID for signal in each])
    return month


async def _rows(month: Month, panel: str, **choice: Any) -> list[dict[str, Any]]:
    return await month.rows(board("signals").panel(panel), Choice(PERIOD, **choice), END)


async def test_what_is_open_and_what_the_spikes_cost(told: Month) -> None:
    assert await _rows(told, "open-now") == [{"open_incidents": 2, "critical": 1, "warning": 0, "info": 1}]
    assert await _rows(told, "spiking-now") == [{"usd_per_day": "42.75", "spikes": 1, "silent": 0}]
    assert (await _rows(told, "open-now", where={"team": ["ads"]}))[0]["open_incidents"] == 1


async def test_what_opened_in_the_period_and_in_the_one_before(told: Month) -> None:
    (row,) = await _rows(told, "opened")
    assert row == {"opened": 2, "opened_before": 2, "resolved": 1, "median_seconds": 86_400.0}


async def test_the_incidents_of_the_period_are_those_that_went_on_in_it(told: Month) -> None:
    rows = await _rows(told, "incidents")
    assert [row["incident"] for row in rows] == ["loop", "leaving", "quiet", "outage"]
    assert [row["usd_per_day"] for row in rows] == ["42.75", "12.000000000001", None, "-7.5"]
    assert [row["now_is"] for row in rows] == ["open", "open", "over", "over"]
    assert [row["told_times"] for row in rows] == [2, 2, 3, 3]
    narrowed = await _rows(told, "incidents", where={"vendor": ["groq"]})
    assert [row["incident"] for row in narrowed] == ["loop", "outage"]
    kinds = {
        row["kind"]: row["critical"] + row["warning"] + row["info"] for row in await _rows(told, "by-kind")
    }
    assert kinds == {"cost_spike": 2, "errors": 1, "retirement": 1}


async def test_the_timeline_is_cut_at_the_edges_of_the_period(told: Month) -> None:
    rows = {row["incident"]: row for row in await _rows(told, "timeline")}
    assert set(rows) == {"loop", "leaving", "quiet", "outage"}
    since = PERIOD.since.isoformat().replace("+00:00", "Z")
    assert (rows["outage"]["time"], rows["leaving"]["time"]) == (since, since)
    assert datetime.fromisoformat(rows["loop"]["until"]) == END
    assert datetime.fromisoformat(rows["quiet"]["until"]) == END - timedelta(days=4)


async def test_what_was_open_in_each_step(told: Month) -> None:
    expected: dict[tuple[datetime, str], list[Any]] = defaultdict(lambda: [0, Decimal(0)])
    for signals in SAID:
        last = signals[-1]
        over = last.observed_at if last.state == "resolved" else END
        for start in PERIOD.starts:
            if last.started_at < start + timedelta(seconds=PERIOD.step_seconds) and over >= start:
                cell = expected[start, last.kind]
                cell[0] += 1
                cell[1] += max(last.impact_usd_per_day or Decimal(0), Decimal(0))
    rows = await _rows(told, "open-over-time")
    found = {
        (datetime.fromisoformat(row["time"]), row["kind"]): [row["incidents"], Decimal(row["usd_per_day"])]
        for row in rows
    }
    assert found == expected


async def test_the_incident_that_matters_most_is_told_of_unless_another_is_chosen(told: Month) -> None:
    assert {row["incident"] for row in await _rows(told, "story")} == {"loop"}
    story = await _rows(told, "story", incident="long-ago")
    assert [(row["became"], row["usd_per_day"]) for row in story] == [
        ("resolved", "99"),
        ("update", "99"),
        ("open", "1"),
    ]
    causes = await _rows(told, "contributors")
    assert [(row["place"], row["component"], row["usd_per_day"]) for row in causes] == [
        (1, "calls", "40.25"),
        (2, "tokens per call", "2.5"),
        (3, "errors", None),
    ]
    assert (causes[0]["team"], causes[0]["service"]) == ("search", "answers")
    assert await _rows(told, "contributors", incident="outage") == []
    assert await _rows(told, "story", incident="' OR 1 --") == []


async def test_the_usage_is_that_of_the_incidents_scope(told: Month) -> None:
    rows = await _rows(told, "usage-of-incident", incident="quiet")
    calls = [call for call in told.within(PERIOD) if call["vendor"] == "openai"]
    assert sum(Decimal(row["usd"]) for row in rows) == sum(call["cost"] or 0 for call in calls)
    assert sum(row["all_calls"] for row in rows) == len(calls) > 0
    assert sum(row["failed_calls"] for row in rows) == sum(
        call.get("status", "ok") in FAILED for call in calls
    )
    assert await _rows(told, "usage-of-incident", incident="none of them") == []


async def test_an_incident_is_counted_under_its_first_cause(told: Month) -> None:
    first = Counter(
        (signals[-1].kind, next((one.component for one in signals[-1].contributors), ""))
        for signals in SAID
        if signals[-1].incident not in ("long-ago", "last-week")
    )
    rows = await _rows(told, "causes")
    assert {(row["kind"], row["cause"]): row["incidents"] for row in rows} == first
    assert json.dumps([row["usd_per_day"] for row in rows if row["cause"] == "calls"]) == '["42.75"]'
