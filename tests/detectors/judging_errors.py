"""What the detector of errors made of a simulated run: the story goes in, and the signals; figures come out."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from streams.detectors.detector import Detector
from streams.detectors.incidents import Incidents
from streams.groups import EPOCH, MINUTE
from tests.detectors.feeding import Feed, observe
from tokenweir.signals import Signal

_AROUND = timedelta(minutes=15)
_LEAST_FAILED = 3
"""Where a model's end met fewer calls of who was late to leave it, nothing happened that anyone could be told of."""


class Judged(NamedTuple):
    """planted: what had to be found. delays_seconds: of what was, from its beginning to its signal. wrong: all others.

    ends_seconds: from the end of what was planted to its being resolved.
    """

    planted: int
    delays_seconds: list[float]
    ends_seconds: list[float]
    wrong: list[Signal]


class _Planted(NamedTuple):
    scope: dict[str, str]
    started_at: datetime
    ended_at: datetime


def signals_of(detector: Detector, feed: Feed) -> list[Signal]:
    """All that is told of a run, open minutes included."""
    incidents = Incidents(feed.story.tenant)
    return [
        signal
        for minute, said in observe([detector], feed.minutes(growing=True))
        for signal in incidents.tick(minute, said)
    ]


def judge_errors(feed: Feed, signals: Iterable[Signal]) -> Judged:
    """Found is what is opened at the planted level while it lasts; each planted one counts once."""
    story = feed.story
    told = [signal for signal in signals if signal.kind == "errors"]
    planted = _planted(feed)
    delays: list[float] = []
    ends: list[float] = []
    right: set[str] = set()
    for one in planted:
        for opening in told:
            if (
                opening.state == "open"
                and opening.incident not in right
                and one.scope.items() <= {"tenant": story.tenant, **opening.scope}.items()
                and set(opening.scope) - {"tenant"} <= set(one.scope)
                and one.started_at <= opening.observed_at <= one.ended_at + _AROUND
            ):
                right.add(opening.incident)
                delays.append((opening.observed_at - one.started_at).total_seconds())
                ends += [
                    (signal.observed_at - one.ended_at).total_seconds()
                    for signal in told
                    if signal.incident == opening.incident and signal.state == "resolved"
                ]
                break
    wrong = [signal for signal in told if signal.state == "open" and signal.incident not in right]
    # One that is told again while it lasts is no false alarm about something else, but it is one too many.
    return Judged(len(planted), delays, ends, wrong)


def _failed_calls(feed: Feed, planted: _Planted) -> int:
    first, last = ((at - EPOCH) // MINUTE for at in (planted.started_at, planted.ended_at + _AROUND))
    return sum(
        row.sums.statuses["error"]
        for one in feed.arrived
        if first <= one.minute <= last
        for row in one.rows
        if planted.scope.items() <= row.names.items()
    )


def _planted(feed: Feed) -> list[_Planted]:
    story = feed.story
    planted = [_Planted(one.scope, one.started_at, one.ended_at) for one in story.of_kind("vendor_outage")]
    for one in story.of_kind("retirement"):
        deadline = datetime.fromtimestamp(one.magnitude["deadline_unix_ms"] / 1000, one.started_at.tzinfo)
        laggard = one.contributors[-1].scope
        late = _Planted({**laggard, **one.scope}, deadline, one.ended_at)
        if _failed_calls(feed, late) >= _LEAST_FAILED:
            planted.append(late)
    return [one._replace(scope={**one.scope, "tenant": story.tenant}) for one in planted]
