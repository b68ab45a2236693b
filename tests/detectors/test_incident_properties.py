"""What holds of the alert life cycle whatever is said, in whatever order, and wherever it is restarted."""

import random
from collections import Counter
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detectors.detector import Condition
from streams.detectors.incidents import Incidents
from tests.detectors.conditions import TENANT, a_condition, a_minute
from tokenweir.signals import Contributor, Signal

SCOPES: list[dict[str, str]] = [
    {},
    {"team": "a"},
    {"team": "b"},
    {"team": "a", "service": "x"},
    {"team": "a", "service": "x", "model": "m"},
    {"model": "m"},
]

conditions = st.builds(
    a_condition,
    kind=st.sampled_from(["cost_spike", "latency"]),
    subject=st.sampled_from(["up", "down"]),
    cause=st.sampled_from([None, "loop"]),
    scope=st.sampled_from(SCOPES),
    severity=st.sampled_from(["info", "warning", "critical"]),
    impact_usd_per_day=st.sampled_from([None, Decimal(1), Decimal(3), Decimal(1000)]),
    value=st.sampled_from([None, 0.1, 7.0]),
    quiet_minutes=st.sampled_from([0, 1, 3]),
    is_event=st.sampled_from([False, False, False, True]),
    told_before=st.lists(st.sampled_from(SCOPES), max_size=2).map(tuple),
    contributors=st.sampled_from(
        [(), (Contributor(component="calls"),), (Contributor(component="price", usd_per_day=Decimal("0.1")),)]
    ),
)


Tick = tuple[int, float, list[Condition]]
"""(minute, seconds of it that are over, what is said)."""


@st.composite
def histories(draw: st.DrawFn) -> list[Tick]:
    """Ticks in order: some minutes with one or two looks at them while they are open, silent stretches between."""
    ticks: list[Tick] = []
    minute = 0
    for _ in range(draw(st.integers(1, 12))):
        minute += draw(st.sampled_from([1, 1, 1, 2]))
        for seconds in [*draw(st.sampled_from([(), (5.0,), (5.0, 40.0)])), 60.0]:
            said = draw(st.lists(conditions, max_size=5))
            repeated = draw(st.integers(1, 20)) if seconds == 60.0 and draw(st.booleans()) else 1
            ticks += [(minute + number, seconds, said) for number in range(repeated)]
            minute += repeated - 1
    return ticks


def _tick(incidents: Incidents, minute: int, seconds: float, said: list[Condition]) -> list[Signal]:
    return incidents.tick(a_minute(minute, is_whole=seconds == 60.0, seconds=seconds), said)


def _play(ticks: list[Tick]) -> list[Signal]:
    incidents = Incidents(TENANT)
    signals = [signal for tick in ticks for signal in _tick(incidents, *tick)]
    last = ticks[-1][0]
    for minute in range(last + 1, last + 5):
        signals += _tick(incidents, minute, 60.0, [])
    assert incidents.open_fingerprints() == []
    return signals


@given(histories())
def test_every_incident_is_opened_once_and_resolved_once(
    ticks: list[Tick],
) -> None:
    signals = _play(ticks)
    assert len({signal.id for signal in signals}) == len(signals)
    opened: set[str] = set()
    count: Counter[tuple[str, str]] = Counter()
    for signal in signals:
        count[signal.incident, signal.state] += 1
        if signal.state == "open":
            assert signal.fingerprint not in opened
            opened.add(signal.fingerprint)
        else:
            assert signal.fingerprint in opened
            if signal.state == "resolved":
                opened.remove(signal.fingerprint)
    assert not opened
    incidents = {signal.incident for signal in signals}
    assert all(count[name, "open"] == count[name, "resolved"] == 1 for name in incidents)
    numbers: dict[str, list[int]] = {}
    for signal in signals:
        numbers.setdefault(signal.incident, []).append(int(signal.id.rpartition("/")[2]))
    assert all(told == list(range(len(told))) for told in numbers.values())


@given(histories(), st.integers(0, 200))
@settings(max_examples=150)
def test_a_restart_is_no_restart(ticks: list[Tick], at: int) -> None:
    whole, restarted = Incidents(TENANT), Incidents(TENANT)
    for number, tick in enumerate(ticks):
        if number == at % len(ticks):
            state = restarted.state()
            restarted = Incidents.restored(state)
            assert restarted.state() == state
        assert _tick(whole, *tick) == _tick(restarted, *tick)
    assert whole.state() == restarted.state()


@given(histories(), st.integers(0, 2**32))
def test_the_order_within_a_tick_does_not_matter(ticks: list[Tick], seed: int) -> None:
    dice = random.Random(seed)
    shuffled = [(minute, seconds, dice.sample(said, len(said))) for minute, seconds, said in ticks]
    assert _play(ticks) == _play(shuffled)


@given(histories())
def test_nothing_opens_below_what_is_open(ticks: list[Tick]) -> None:
    open_now: dict[str, Signal] = {}
    for signal in _play(ticks):
        if signal.state == "resolved":
            del open_now[signal.fingerprint]
            continue
        if signal.state == "open":
            above = [
                other
                for other in open_now.values()
                if (other.kind, other.subject) == (signal.kind, signal.subject)
                and other.scope.items() < signal.scope.items()
                and not _has_cause_of_its_own(ticks, other, signal)
            ]
            assert not above
        open_now[signal.fingerprint] = signal


def _has_cause_of_its_own(ticks: list[Tick], *signals: Signal) -> bool:
    """Whether a cause was named for any of them, so that the subject does not tell."""
    return any(
        said.cause is not None
        and (said.kind, said.subject) == (signal.kind, signal.subject)
        and {"tenant": TENANT, **said.scope} == signal.scope
        for signal in signals
        for _, _, conditions_said in ticks
        for said in conditions_said
    )
