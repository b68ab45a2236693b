"""Prices that moved: in the book, learnt of late, or by what calls are reported to cost; and what is no move."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import pytest

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import GroupRow, TenantMinute
from streams.detectors.price_move import PriceMoves
from tests.detectors.made_rows import a_row, minute_of
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.pricing.overlay import read_overlay
from tokenweir.settings import DetectionSettings

DAY = 1440
FIRST = minute_of("2026-09-01T00:00Z")
MOVED = minute_of("2026-09-05T12:00Z")

OLD = """
[[price]]
vendor = "acme-ai"
models = ["one"]
currency = "USD"
input = 2
output = 8
source = "test"
"""
CUT = """
[[price]]
vendor = "acme-ai"
models = ["one"]
currency = "USD"
valid_from = 2026-09-05T12:00:00Z
recorded_at = 2026-02-01T00:00:00Z
input = 1
output = 4
source = "test"
"""
NIGHTS = """
[[price]]
vendor = "acme-ai"
models = ["one"]
currency = "USD"
input = 1
output = 4
hours = { zone = "UTC", windows = ["22:00-06:00"] }
source = "test"
"""
Rows = Callable[[int], Sequence[GroupRow]]


def a_book(*tables: str) -> PriceBook:
    text = 'name = "test"\nrecorded_at = 2026-01-01T00:00:00Z\n' + "".join(tables)
    return PriceBook([read_overlay(text, "test.toml", kind="public")])


def a_detector(*tables: str) -> PriceMoves:
    return PriceMoves(Surroundings(a_book(*tables), Catalog([]), DetectionSettings()))


def calls(count: int, usd: str = "0", service: str = "ranker", model: str = "one") -> GroupRow:
    """Calls of 1,000 tokens in and 500 out: $0.006 each by OLD, $0.003 by CUT."""
    return a_row(
        usd,
        calls=count,
        tokens={"input_tokens": 1000 * count, "output_tokens": 500 * count},
        vendor="acme-ai",
        model=model,
        service=service,
    )


def feed(rows: Rows, first: int, until: int) -> Iterator[TenantMinute]:
    for minute in range(first, until):
        yield TenantMinute("acme", minute, rows(minute))


def said(detector: PriceMoves, minutes: Iterator[TenantMinute]) -> list[tuple[int, Condition]]:
    return [(minute.minute, one) for minute in minutes for one in detector.observe(minute)]


def every_ten(minute: int) -> Sequence[GroupRow]:
    return (calls(10), calls(10, service="writer"), calls(10, model="two")) if minute % 10 == 0 else ()


def test_a_cut_is_told_in_its_minute_with_who_and_dollars() -> None:
    ((minute, told),) = said(a_detector(OLD, CUT), feed(every_ten, FIRST, MOVED + 600))
    assert minute == MOVED
    assert told.is_event
    assert told.severity == "info"
    assert told.scope == {"vendor": "acme-ai", "model": "one"}
    # Twice 1,440 calls a day at $0.006, then at $0.003.
    assert (told.baseline, told.value) == (pytest.approx(17.28, rel=0.01), pytest.approx(8.64, rel=0.01))
    assert told.impact_usd_per_day == pytest.approx(Decimal("-8.64"), rel=Decimal("0.01"))
    assert "costs 50 % less" in told.title
    assert "what 2 workloads send to one of acme-ai" in told.explanation
    assert "input -50.00 %" in told.explanation
    assert [one.component for one in told.contributors] == ["price"] * 3
    assert told.contributors[0].scope == told.scope
    assert {one.scope.get("service") for one in told.contributors[1:]} == {"ranker", "writer"}


def test_a_rise_is_a_warning() -> None:
    dear = CUT.replace("input = 1", "input = 4").replace("output = 4", "output = 16")
    ((_, told),) = said(a_detector(OLD, dear), feed(every_ten, FIRST, MOVED + 5))
    assert (told.severity, told.title) == ("warning", told.title)
    assert "costs 100 % more" in told.title


def test_a_week_later_it_is_told_whether_volume_followed() -> None:
    def moving(minute: int) -> Sequence[GroupRow]:
        more = 3 if minute > MOVED + DAY else 1
        return (calls(10 * more), calls(40, model="two")) if minute % 20 == 0 else ()

    for rows, follows in ((moving, "has followed"), (every_ten, "has not followed")):
        told = [one for _, one in said(a_detector(OLD, CUT), feed(rows, FIRST, MOVED + 9 * DAY))]
        assert [one.subject for one in told] == ["price", "volume"]
        assert follows in told[1].title
        assert told[1].is_event
    assert "2,880 calls a day; before it had 2,880" in told[1].explanation


def test_what_is_no_move() -> None:
    for tables in (
        (OLD, NIGHTS),  # a price for hours
        (OLD, CUT.replace("input = 1", "input = 2").replace("output = 4", "output = 8")),  # the same again
        (OLD, CUT.replace('"one"', '"three"')),  # of a model that nobody calls
        (CUT,),  # the first price that it has
    ):
        assert said(a_detector(*tables), feed(every_ten, FIRST, MOVED + 2 * DAY)) == []
    # Neither is one of what has been called a few times.
    few: Rows = lambda minute: (calls(3),) if minute == FIRST else ()  # noqa: E731
    assert said(a_detector(OLD, CUT), feed(few, FIRST, MOVED + 10)) == []


def test_a_move_that_the_book_learns_of_late_is_told_then_and_a_mended_row_is_not() -> None:
    for tables, expected in (((OLD, CUT), [MOVED + 300]), ((OLD, CUT.replace("valid_from", "#")), [])):
        unaware, aware = a_detector(OLD), a_detector(*tables)
        assert said(unaware, feed(every_ten, FIRST, MOVED + 300)) == []
        aware.restore(unaware.state())
        told = said(aware, feed(every_ten, MOVED + 300, MOVED + 900))
        assert [minute for minute, _ in told] == expected
        if told:
            assert f"{told[0][1].started_at:%Y-%m-%dT%H:%M}" == "2026-09-05T12:00"


def reported(factor: Callable[[str, int], float]) -> Rows:
    """Two workloads of a model without a price, each with a mix of its own and a call's cost that is reported."""

    def rows(minute: int) -> Sequence[GroupRow]:
        if minute % 10:
            return ()
        jitter = 1 + (minute // 10 % 7 - 3) / 100
        return [
            calls(10, f"{0.06 * jitter * factor(service, minute):.6f}", service, "unknown")
            for service in ("ranker", "writer")
        ]

    return rows


def test_a_price_that_no_book_knows_is_seen_by_what_calls_cost() -> None:
    rows = reported(lambda service, minute: 1.5 if minute >= MOVED else 1.0)
    ((minute, told),) = said(a_detector(OLD), feed(rows, FIRST, MOVED + DAY))
    assert MOVED < minute <= MOVED + 300
    assert told.scope == {"vendor": "acme-ai", "model": "unknown"}
    assert told.severity == "warning"
    assert told.value == pytest.approx(1.5 * (told.baseline or 0), rel=0.03)
    assert "knows no price" in told.explanation


def test_what_changes_for_one_workload_alone_is_no_price() -> None:
    for factor in (
        lambda service, minute: 1.5 if minute >= MOVED and service == "ranker" else 1.0,
        lambda service, minute: (1.5 if service == "ranker" else 1.2) if minute >= MOVED else 1.0,
        lambda service, minute: 1.5 if MOVED <= minute < MOVED + 60 else 1.0,
    ):
        assert said(a_detector(OLD), feed(reported(factor), FIRST, MOVED + DAY)) == []


def test_a_restart_changes_nothing() -> None:
    rows = reported(lambda service, minute: 1.5 if minute >= MOVED else 1.0)
    both: Rows = lambda minute: [*rows(minute), *every_ten(minute)]  # noqa: E731
    through, restarted = a_detector(OLD, CUT), a_detector(OLD, CUT)
    for minute in feed(both, FIRST + 3 * DAY, MOVED + DAY):
        if minute.minute % 450 == 0:
            state = restarted.state()
            restarted = a_detector(OLD, CUT)
            restarted.restore(state)
        assert through.observe(minute) == restarted.observe(minute)
    assert through.state() == restarted.state()
    with pytest.raises(ValueError, match="state"):
        restarted.restore(b"{}")
