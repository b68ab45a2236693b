"""Models that are going and are still called: since when, by whom, until when, and what the successor would cost."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from streams.detectors.detector import Surroundings
from streams.detectors.incidents import Incidents
from streams.detectors.minute import GroupRow, TenantMinute
from streams.detectors.retirement import Retirements, going
from tests.detectors.made_rows import a_row, minute_of
from tokenweir.catalog import Catalog
from tokenweir.catalog.catalog import FileLayer
from tokenweir.catalog.reading import read_catalog
from tokenweir.pricing import PriceBook
from tokenweir.pricing.overlay import read_overlay
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Signal

HOUR, DAY = 60, 1440
FIRST = minute_of("2026-09-01T00:00Z")
CATALOG = """
vendor = "acme-ai"
recorded_at = 2026-08-01

[[source]]
name = "page"
page = "https://acme-ai.example/models"
seen_on = 2026-08-01

[[model]]
model = "old-1"
aliases = ["old-latest"]
released_on = 2024-01-01
deprecated_on = 2026-08-15
retires_on = 2026-10-01
successors = [{ model = "new-1" }]
source = "page"

[[model]]
model = "new-1"
released_on = 2026-01-01
source = "page"

[[model]]
model = "far-1"
released_on = 2025-01-01
retires_on = 2027-06-01
source = "page"
"""
PRICES = """
name = "test"
recorded_at = 2026-01-01T00:00:00Z

[[price]]
vendor = "acme-ai"
models = ["old-1"]
currency = "USD"
input = 2
output = 8
source = "test"

[[price]]
vendor = "acme-ai"
models = ["new-1"]
currency = "USD"
input = 1
output = 5
source = "test"
"""


def a_catalog(text: str = CATALOG) -> Catalog:
    return Catalog([FileLayer(read_catalog(text, "test.toml"))])


def a_detector() -> Retirements:
    overlay = read_overlay(PRICES, "test.toml", kind="public")
    book = PriceBook([overlay])
    return Retirements(Surroundings(book, a_catalog(), DetectionSettings()))


def calls(count: int = 1, service: str = "ranker", model: str = "old-1", ok: bool = True) -> GroupRow:
    """Calls of 1,000 tokens in and 500 out: $0.006 each on old-1, $0.0035 on new-1."""
    row = a_row(
        Decimal("0.006") * count if ok else "0",
        calls=count,
        tokens={"input_tokens": 1000 * count, "output_tokens": 500 * count} if ok else {},
        vendor="acme-ai",
        model=model,
        service=service,
    )
    if not ok:
        row.sums.statuses.clear()
        row.sums.statuses["error"] = count
    return row


def signals(detector: Retirements, minutes: Iterator[TenantMinute]) -> list[Signal]:
    incidents = Incidents("acme")
    return [signal for minute in minutes for signal in incidents.tick(minute, detector.observe(minute))]


def each_minute(first: int, until: int, rows: Sequence[GroupRow], every: int = 1) -> Iterator[TenantMinute]:
    for minute in range(first, until):
        yield TenantMinute("acme", minute, rows if minute % every == 0 else ())


@pytest.mark.parametrize(
    ("name", "day", "retires_on"),
    [
        ("old-1", date(2026, 8, 14), None),
        ("old-1", date(2026, 8, 15), date(2026, 10, 1)),
        ("old-latest", date(2026, 9, 1), date(2026, 10, 1)),
        ("old-1", date(2026, 11, 1), date(2026, 10, 1)),
        ("far-1", date(2026, 9, 1), None),
        ("far-1", date(2027, 1, 1), date(2027, 6, 1)),
        ("new-1", date(2026, 9, 1), None),
        ("unheard-of", date(2026, 9, 1), None),
    ],
)
def test_which_models_are_going(name: str, day: date, retires_on: date | None) -> None:
    found = going(a_catalog(), "acme-ai", name, day)
    assert (found.retires_on if found else None) == retires_on


def test_one_incident_a_model_with_its_workloads_and_the_successors_cost() -> None:
    rows = (calls(2), calls(1, "writer"), calls(5, "modern", "new-1"))
    told = signals(a_detector(), each_minute(FIRST, FIRST + 3 * DAY, rows))
    # A day's calls are wanted for telling what a day costs.
    opened = told[0]
    assert (opened.state, opened.severity, opened.value) == ("open", "warning", 30.0)
    assert opened.observed_at == datetime(2026, 9, 2, tzinfo=UTC)
    assert opened.scope == {"tenant": "acme", "vendor": "acme-ai", "model": "old-1"}
    assert [one.state for one in told[1:] if one.state != "update"] == []
    (text,) = told_at_the_end(rows)
    assert "2 workloads still call it" in text
    assert "4,320 calls and $25.92 a day" in text
    assert "new-1: $15.12 a day instead of $25.92" in text


def told_at_the_end(rows: Sequence[GroupRow]) -> list[str]:
    detector = a_detector()
    said: list[str] = []
    for minute in each_minute(FIRST, FIRST + 3 * DAY, rows):
        said = [one.explanation for one in detector.observe(minute)]
    return said


def test_severity_follows_the_days_that_are_left() -> None:
    first = minute_of("2026-08-29T00:00Z")
    told = signals(a_detector(), each_minute(first, minute_of("2026-09-25T12:00Z"), (calls(3),), every=15))
    severities = [(one.severity, one.observed_at.strftime("%m-%d")) for one in told]
    assert severities == [("info", "08-30"), ("warning", "09-01"), ("critical", "09-24")]


def test_the_first_weekend_is_no_change_for_the_better() -> None:
    friday = minute_of("2026-09-04T00:00Z")
    busy = list(each_minute(friday, friday + DAY, (calls(4),)))
    weekend = list(each_minute(friday + DAY, friday + 4 * DAY, (calls(),), every=20))
    assert [one.state for one in signals(a_detector(), iter(busy + weekend))] == ["open"]


def test_it_ends_when_nobody_calls_it_any_more() -> None:
    detector = a_detector()
    began = list(each_minute(FIRST, FIRST + 2 * DAY, (calls(),), every=5))
    weekend = list(each_minute(FIRST + 2 * DAY, FIRST + 4 * DAY + 600, ()))
    again = list(each_minute(FIRST + 4 * DAY + 600, FIRST + 5 * DAY, (calls(),), every=5))
    silent = list(each_minute(FIRST + 5 * DAY, FIRST + 9 * DAY, ()))
    told = signals(detector, iter(began + weekend + again + silent))
    assert [one.state for one in told if one.change not in ("better", "worse")] == ["open", "resolved"]
    assert told[-1].observed_at.day == 9  # three days and an hour after the last call, on the sixth
    assert detector.state() == a_detector().state()


def test_a_call_to_try_is_not_told() -> None:
    assert signals(a_detector(), each_minute(FIRST, FIRST + DAY, (calls(),), every=100)) == []


def test_few_calls_over_days_are_told() -> None:
    told = signals(a_detector(), each_minute(FIRST, FIRST + 8 * DAY, (calls(),), every=3 * DAY))
    assert [one.state for one in told] == ["open"]


def test_who_fails_after_the_day_is_critical_and_named() -> None:
    first = minute_of("2026-10-20T00:00Z")
    works = signals(a_detector(), each_minute(first, first + 1500, (calls(2),)))
    assert [one.severity for one in works] == ["warning"]
    fails = signals(a_detector(), each_minute(first, first + 1500, (calls(2, ok=False),)))
    assert fails[0].severity == "critical"
    assert "stopped 19 days ago" in fails[0].title
    assert "100 % of the calls of search/ranker fail" in fails[0].explanation
    assert [one.component for one in fails[0].contributors] == ["model_mix", "errors"]


def test_a_cost_that_cannot_be_reckoned_is_not_told() -> None:
    dear = a_row("5", calls=30, tokens={"input_tokens": 30_000}, vendor="acme-ai", model="old-1")
    told = signals(a_detector(), each_minute(FIRST, FIRST + 1500, (dear,)))
    assert "cannot be told" in told[0].explanation
    assert told[0].evidence["successor_usd_per_day"] is None


def test_a_restart_changes_nothing() -> None:
    through, restarted = a_detector(), a_detector()
    for minute in each_minute(FIRST, FIRST + 2 * DAY, (calls(2), calls(1, "writer")), every=7):
        if minute.minute % 450 == 0:
            state = restarted.state()
            restarted = a_detector()
            restarted.restore(state)
        assert through.observe(minute) == restarted.observe(minute)
    with pytest.raises(ValueError, match="state"):
        restarted.restore(b"{}")
