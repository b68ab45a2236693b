"""Whether one workload's calls are going from one model to another: a judgement of its calls by hour. Pure.

Traffic has moved when, over the same hours, a model has more of the workload's calls than it had, another has fewer
calls than it had on days of the same kind, and that has lasted. So it is no move
- when a model is added for new calls: the other's calls do not fall;
- when all calls become fewer, in a night, a weekend or a holiday: shares do not change;
- when another vendor stands in for one that fails: that ends, and until it has long ended nothing is said;
- when a router always sends shares that differ from hour to hour, or day to day: a model that the workload has called
  before counts only when two whole days are beyond anything of the week before.

A model that the workload had not called before is seen from a fifth of the calls on; what is then found depends on
how many calls there are, because a fall has to be more than chance. Below some twenty calls in two days nothing is
said. Nor in a workload's first three days, nor in the three days after a move is over.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
"""Models by hours, the newest hour last."""

Hourly = NDArray[np.float64]
"""One model's calls by hour, the newest hour last."""

LEARNING_HOURS: Final = 72
SPANS_HOURS: Final = (4, 8, 12, 24, 48)

_FEWEST_CALLS: Final = 20
_FEWEST_MOVED: Final = 6
_LEAST_MOVED: Final = 0.2
_LEAST_GAIN: Final = 0.15
_LEAST_SOURCE: Final = 0.15
"""A model with less of the calls is nothing that could be moved away from."""

_FRESH_SHARE: Final = 0.02
_FEWEST_BEFORE: Final = 40
"""Calls: to know what was usual, and to say that a model was not called for a while."""

_GAP_HOURS: Final = 6
_FALL_SIGMAS: Final = 2.5
_FALL_SIGMAS_WITHIN_A_DAY: Final = 3.0
"""There are many short spans, each a chance to be wrong."""

_VARIES: Final = 0.08
"""By how much the calls of a week differ from the next's, without any reason, one sigma."""

_DAY: Final = 24
_WEEK: Final = 168
_FEWEST_DAYS: Final = 5
_FAILING_SHARE: Final = 0.3
_FAILING_CALLS: Final = 3
_AROUND_HOURS: Final = 7
_AFTER_FAILING_HOURS: Final = 12
_LAGGARD_HOURS: Final = 2
_ENOUGH_CALLS: Final = 40
_SHORTEST_HOURS: Final = 3


class Mix(NamedTuple):
    """A workload's calls. known_hours: how many of the newest hours are its habit. newest_hour: since the Unix epoch.

    failed: of `calls`, those without an answer.
    """

    models: Sequence[str]
    calls: Counts
    failed: Counts
    known_hours: int
    newest_hour: int

    @property
    def hours(self) -> int:
        """How many hours there are."""
        return int(self.calls.shape[1])


class Fleet(Protocol):
    """What is known of a model from all workloads of the tenant."""

    def failing_hours(self, model: str) -> list[int]:
        """As the function of this name, for the last day."""

    def fails_alone(self, model: str) -> bool:
        """Whether it fails while its vendor's others answer, and so is gone rather than out of order."""


class ShareChange(NamedTuple):
    """Calls that go from `source` to `target`. onset_hour: of the first, since the epoch. Shares are of all calls."""

    source: str
    target: str
    onset_hour: int
    source_share: float
    target_share: float
    moved: float
    """Of the source's share, how much is with the target now; about 1 when all of it is."""


def changes(mix: Mix, fleet: Fleet) -> list[ShareChange]:
    """Every move that shows now, by target.

    fleet: what the models are like for all workloads.
    """
    found = []
    for target in range(len(mix.models)):
        change = _toward(mix, target, fleet)
        if change is not None:
            found.append(change)
    return found


def moved_now(mix: Mix, change: ShareChange) -> float | None:
    """Of the source's former share, how much is with the target now; None where there are too few calls to tell.

    Over the last three hours or, where they hold too few calls, as many as it takes, up to two days.
    """
    total = np.cumsum(mix.calls[:, : -SPANS_HOURS[-1] - 1 : -1].sum(axis=0))
    span = max(_SHORTEST_HOURS, 1 + int(np.searchsorted(total, _ENOUGH_CALLS)))
    span = min(span, len(total))
    if total[span - 1] < _ENOUGH_CALLS / 2:
        return None
    share = 0.0
    if change.target in mix.models:
        share = float(mix.calls[mix.models.index(change.target), -span:].sum() / total[span - 1])
    return (share - change.target_share) / change.source_share


def failing_hours(calls: Hourly, failed: Hourly, hours: int = _DAY) -> list[int]:
    """How long ago, in hours, each of the last `hours` was in which much of what a model was asked failed.

    calls, failed: of the model by hour, the newest last. Where there are few, those of the hours around help to tell.
    """
    around = np.ones(_AROUND_HOURS)
    found: set[int] = set()
    for total, lost, fewest in (
        (calls, failed, 1),
        (np.convolve(calls, around, "same"), np.convolve(failed, around, "same"), 2),
    ):
        is_failing = (
            (failed > 0) & (total >= _FAILING_CALLS) & (lost >= fewest) & (lost >= _FAILING_SHARE * total)
        )
        found.update(len(calls) - 1 - int(place) for place in np.flatnonzero(is_failing))
    return sorted(ago for ago in found if ago < hours)


def _toward(mix: Mix, target: int, fleet: Fleet) -> ShareChange | None:
    onset = _onset(mix, target)
    if onset is None:
        return None
    before = mix.calls[:, mix.hours - mix.known_hours : onset]
    total = float(before.sum())
    if before.shape[1] >= LEARNING_HOURS and total >= _FEWEST_BEFORE:
        shares = before.sum(axis=1) / total
        if shares[target] <= _FRESH_SHARE:
            return _fresh(mix, target, onset, shares, fleet)
    return _known(mix, target, fleet)


def _onset(mix: Mix, target: int) -> int | None:
    """The first hour of the target's calls since the workload last did without it for a while; None without calls."""
    row, total = mix.calls[target], mix.calls.sum(axis=0)
    first = mix.hours - mix.known_hours
    active = np.flatnonzero(row[first:]) + first
    if not len(active) or active[-1] < mix.hours - SPANS_HOURS[-1]:
        return None
    summed = np.concatenate(([0.0], np.cumsum(total)))
    earlier, later = active[:-1], active[1:]
    without = (later - earlier > _GAP_HOURS) & (summed[later] - summed[earlier + 1] >= _FEWEST_BEFORE)
    begun = later[without]
    return int(begun[-1] if len(begun) else active[0])


def _fresh(mix: Mix, target: int, onset: int, shares: Counts, fleet: Fleet) -> ShareChange | None:
    """A move to a model that was not called before."""
    for span in SPANS_HOURS:
        if not _has_lasted(mix, target, span, float(shares[target])):
            continue
        recent = mix.calls[:, -span:].sum(axis=1)
        change = _change(mix, target, onset, shares, recent / recent.sum())
        if change is not None and _is_move(mix, change, span, onset, fleet):
            return change
    return None


def _known(mix: Mix, target: int, fleet: Fleet) -> ShareChange | None:
    """A move to a model that was called before: two days beyond anything of the days before them."""
    days = []
    latest = mix.hours
    while latest - _DAY >= mix.hours - mix.known_hours:
        calls = mix.calls[:, latest - _DAY : latest].sum(axis=1)
        days.append(calls / calls.sum() if calls.sum() >= _FEWEST_CALLS else None)
        latest -= _DAY
    recent, past = days[:2], [shares for shares in days[2:] if shares is not None]
    if len(past) < _FEWEST_DAYS or any(shares is None for shares in recent):
        return None
    of_target = np.array([shares[target] for shares in past])
    bar = max(of_target.max() + _LEAST_GAIN, of_target.mean() + 4 * of_target.std(ddof=1))
    if any(shares is None or shares[target] < bar for shares in recent):
        return None
    span = 2 * _DAY
    now = mix.calls[:, -span:].sum(axis=1)
    onset = mix.hours - span
    change = _change(mix, target, onset, np.mean(past, axis=0), now / now.sum())
    if change is not None and _is_move(mix, change, span, onset, fleet):
        return change
    return None


def _change(mix: Mix, target: int, onset: int, before: Counts, now: Counts) -> ShareChange | None:
    """From the model that lost most; None where that is too little to speak of."""
    lost = before - now
    source = int(np.argmax(lost))
    gain = float(now[target] - before[target])
    share = float(before[source])
    if source == target or share < _LEAST_SOURCE or gain < max(_LEAST_GAIN, _LEAST_MOVED * share):
        return None
    return ShareChange(
        source=mix.models[source],
        target=mix.models[target],
        onset_hour=mix.newest_hour - (mix.hours - 1 - onset),
        source_share=share,
        target_share=float(before[target]),
        moved=gain / share,
    )


def _has_lasted(mix: Mix, target: int, span: int, share_before: float) -> bool:
    """Whether the target has had its share for most of the span, and on more than one day of a long one."""
    calls = mix.calls[:, -span:]
    total, of_target = float(calls.sum()), float(calls[target].sum())
    if total < _FEWEST_CALLS or of_target < _FEWEST_MOVED:
        return False
    gain = of_target / total - share_before
    parts = 4 if span <= _DAY else 2
    by_part = calls.reshape(len(mix.models), parts, span // parts).sum(axis=2)
    totals = by_part.sum(axis=0)
    is_told = totals >= _FAILING_CALLS
    if is_told.sum() < min(parts, 3):
        return False
    if np.any(by_part[target][is_told] < (share_before + gain / 4) * totals[is_told]):
        return False
    active = np.flatnonzero(calls[target])
    return bool(active[-1] - active[0] >= (18 if span >= _DAY else span // 2))


def _is_move(mix: Mix, change: ShareChange, span: int, onset: int, fleet: Fleet) -> bool:
    source, target = mix.models.index(change.source), mix.models.index(change.target)
    recent = mix.calls[:, -span:]
    gained = float(recent[target].sum() - change.target_share * recent.sum())
    return _has_fallen(mix, source, span, onset, gained) and _is_no_failover(mix, change, span, onset, fleet)


def _has_fallen(mix: Mix, source: int, span: int, onset: int, gained: float) -> bool:
    """Whether the source has clearly fewer calls than the same hours had on days of the same kind before the onset,
    or a week before if there are none; by at least half of the calls that the target has gained."""
    row = mix.calls[source]
    start = mix.hours - span
    shifts = range(_DAY, min(mix.known_hours - span, mix.hours - span, 8 * _DAY) + 1, _DAY)
    alike = [shift for shift in shifts if mix.hours - shift <= onset and _is_alike(mix, span, shift)]
    if not alike and _WEEK in shifts:
        alike = [_WEEK]
    if not alike:
        return False
    expected = sum(float(row[start - shift : mix.hours - shift].sum()) for shift in alike) / len(alike)
    now = float(row[start:].sum())
    spread = np.sqrt(expected / len(alike) + now + (_VARIES * expected) ** 2)
    sigmas = _FALL_SIGMAS if span >= _DAY else _FALL_SIGMAS_WITHIN_A_DAY
    return bool(expected - now > max(sigmas * spread, gained / 2))


def _is_alike(mix: Mix, span: int, shift: int) -> bool:
    """Whether the span's hours lie on working days and weekends as those so many hours before do (UTC)."""
    hours = range(mix.newest_hour - span + 1, mix.newest_hour + 1)
    return all(_is_weekend(hour) == _is_weekend(hour - shift) for hour in hours)


def _is_weekend(hour: int) -> bool:
    return (hour // _DAY + 3) % 7 >= 5  # the epoch's first day was a Thursday


def _is_no_failover(mix: Mix, change: ShareChange, span: int, onset: int, fleet: Fleet) -> bool:
    """Whether the source did not fail lately; or fails alone, for long before its calls went; or is long well again."""
    source = mix.models.index(change.source)
    failing = set(failing_hours(mix.calls[source], mix.failed[source])) | set(
        fleet.failing_hours(change.source)
    )
    if not failing or (span >= _AFTER_FAILING_HOURS and min(failing) >= span):
        return True
    onset_ago = mix.hours - 1 - onset
    return sum(ago > onset_ago for ago in failing) >= _LAGGARD_HOURS and fleet.fails_alone(change.source)
