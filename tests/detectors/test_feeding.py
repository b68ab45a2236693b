"""What the tests of the detectors are fed with is what the pipeline would feed: the meter's sums, late ones late."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest

from producers.simulation import FleetSimulation
from streams.detectors.minute import GroupRow
from streams.meter import Meter
from streams.windows import GroupKey, GroupSums, decode_windows, merge_windows
from tests.detectors.feeding import END, arrivals, book_of, fleet
from tokenweir.usage.wire import HEADERS, encode_batch

DAYS = 12
SCALE = 0.05


def _plain(sums: GroupSums) -> tuple[object, ...]:
    return (
        sums.calls,
        dict(sums.statuses),
        sums.tokens,
        sums.cost_picos,
        sums.unpriced_calls,
        sums.durations,
        sums.ttfts,
    )


def _by_key(rows: Iterable[tuple[int, GroupRow]]) -> dict[GroupKey, tuple[object, ...]]:
    merged: dict[GroupKey, GroupSums] = {}
    for minute, row in rows:
        merged.setdefault((*row.key, minute), GroupSums()).merge(row.sums)
    return {key: _plain(sums) for key, sums in merged.items()}


def test_the_sums_are_those_of_the_meter() -> None:
    simulation = FleetSimulation(seed=100, end=END, days=DAYS, calls_scale=SCALE)
    meter = Meter(book_of(simulation.price_file))
    windows = []
    for offset, batch in enumerate(simulation.events()):
        output = meter.step(
            encode_batch(batch),
            headers=HEADERS,
            topic="usage",
            partition=0,
            offset=offset,
            reported_at_ms=0,
            now=END,
        )
        assert not output.refused_lines
        windows += [window for _, lines in output.windows for window in decode_windows(lines)]
    expected = {key: _plain(sums) for key, sums in merge_windows(windows).items()}
    arrived = arrivals(simulation.events(), book_of(simulation.price_file))
    found = _by_key(pair for one in arrived for pair in [*((one.minute, row) for row in one.rows), *one.late])
    assert found == expected


def test_a_month_is_whole_and_late_is_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENWEIR_FEED_CACHE", str(tmp_path))
    fed = fleet(101, days=DAYS, calls_scale=SCALE)
    minutes = list(fed.minutes())
    assert [minute.minute for minute in minutes] == list(
        range(minutes[0].minute, minutes[0].minute + DAYS * 1440)
    )
    assert minutes[0].start == fed.story.started_at
    assert minutes[-1].end == fed.story.ended_at
    late = [(minute.minute, belonged) for minute in minutes for belonged, _ in minute.late]
    assert late
    assert all(belonged < arrived for arrived, belonged in late)
    assert any(not minute.rows for minute in minutes)
    again = fleet(101, days=DAYS, calls_scale=SCALE)
    assert len(list(tmp_path.rglob("101-*"))) == 1
    assert [_by_minute(minute.rows) for minute in again.minutes()] == [
        _by_minute(minute.rows) for minute in minutes
    ]


def _by_minute(rows: Iterable[GroupRow]) -> dict[GroupKey, tuple[object, ...]]:
    return _by_key((0, row) for row in rows)


def test_the_surroundings_know_the_runs_own_prices() -> None:
    fed = fleet(102, days=DAYS, calls_scale=SCALE)
    cut = fed.story.of_kind("price_cut")[0]
    book = fed.surroundings().book
    event = next(
        event
        for batch in FleetSimulation(seed=102, end=END, days=DAYS, calls_scale=SCALE).events()
        for event in batch
        if (event.vendor, event.model) == (cut.scope["vendor"], cut.scope["model"])
    )

    def cost(moment: datetime) -> int:
        priced = book.price(event.model_copy(update={"time": moment}))
        assert priced.cost_picos is not None
        return priced.cost_picos

    assert cost(fed.story.started_at) > cost(fed.story.ended_at)
