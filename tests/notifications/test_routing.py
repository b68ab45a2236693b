"""Which channel is told of which signal."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.notifications.hours import read_hours
from sinks.notifications.routing import CHANNEL_KIND, fits, matches, matching, wants
from tests.notifications.making import START, channel, incident_signal
from tokenweir.errors import WrongCall
from tokenweir.signals.signal import SEVERITIES, Change

DAY = timedelta(days=1)
names = st.text(alphabet="ab*.[?", max_size=6)


@pytest.mark.parametrize(
    ("pattern", "value", "does"),
    [
        ("search", "search", True),
        ("search", "search-eu", False),
        ("search*", "search-eu", True),
        ("*", "", True),
        ("a*z", "a\nz", True),
        ("[ab]", "a", False),
        ("a.c", "abc", False),
        ("?", "a", False),
    ],
)
def test_a_star_is_the_only_special_character(pattern: str, value: str, does: bool) -> None:
    assert fits(pattern, value) is does


@given(before=names, inside=names, after=names)
def test_a_star_stands_for_anything(before: str, inside: str, after: str) -> None:
    before, after = before.replace("*", ""), after.replace("*", "")
    assert fits(f"{before}*{after}", before + inside + after)
    assert fits(before, before)


@given(
    severity=st.sampled_from(SEVERITIES),
    least=st.sampled_from(SEVERITIES),
    kind=st.sampled_from(["budget", "cost_spike", "latency"]),
    kinds=st.lists(st.sampled_from(["budget", "cost*", "latency"]), max_size=3),
    scope=st.dictionaries(st.sampled_from(["team", "vendor"]), st.sampled_from(["x", "y", "xy"])),
    wanted=st.dictionaries(
        st.sampled_from(["team", "vendor"]), st.lists(st.sampled_from(["x", "x*", "y"]), min_size=1)
    ),
)
def test_a_choice_takes_in_what_fits_each_part_of_it(
    severity: str,
    least: str,
    kind: str,
    kinds: list[str],
    scope: dict[str, str],
    wanted: dict[str, list[str]],
) -> None:
    signal = incident_signal("search", severity=severity, kind=kind, scope={"tenant": "acme", **scope})
    chosen = channel("json://x", severity=least, kinds=kinds, scope=wanted)
    by_hand = (
        SEVERITIES.index(signal.severity) >= SEVERITIES.index(chosen.severity)
        and (not kinds or kind in kinds or (kind == "cost_spike" and "cost*" in kinds))
        and all(
            name in scope and (scope[name] in values or ("x*" in values and scope[name].startswith("x")))
            for name, values in wanted.items()
        )
    )
    assert matches(chosen, signal) is by_hand
    assert matching({"one": chosen}, signal) == (frozenset({"one"}) if by_hand else frozenset())


def test_a_failing_channel_is_told_to_the_others_whoever_they_are_for() -> None:
    failing = incident_signal(
        "x", kind=CHANNEL_KIND, subject="chat", severity="warning", scope={"tenant": "t"}
    )
    everything = channel("json://x")
    search = channel("json://x", scope={"team": ["search"]})
    budgets = channel("json://x", kinds=["budget"])
    assert matching({"chat": everything, "search": search, "b": budgets}, failing) == {"search"}
    assert matching({"chat": everything, "b": budgets}, failing) == {"b"}
    assert matching({"chat": everything}, failing) == frozenset()


@pytest.mark.parametrize("change", ["severity_up", "scope"])
def test_an_incident_that_comes_into_sight_is_an_opening(change: Change) -> None:
    pager = channel("json://x", severity="critical", states=["open"])
    rose = incident_signal("search", 1, change=change)

    def told(is_known: bool) -> bool:
        return wants(pager, rose, is_matched=True, is_known=is_known, now=START, max_age=DAY)

    assert told(is_known=False)
    assert not told(is_known=True)


@given(
    is_matched=st.booleans(),
    is_known=st.booleans(),
    is_muted=st.booleans(),
    age_hours=st.integers(0, 100),
    acknowledged_by=st.sampled_from(["", "ana"]),
)
def test_an_end_is_told_to_whoever_knows_the_incident(
    is_matched: bool, is_known: bool, is_muted: bool, age_hours: int, acknowledged_by: str
) -> None:
    over = incident_signal(
        "search",
        1,
        state="resolved",
        acknowledged_by=acknowledged_by,
        muted_until=START + 9 * DAY if is_muted else None,
    )
    now = START + timedelta(hours=age_hours)
    told = wants(channel("json://x"), over, is_matched=is_matched, is_known=is_known, now=now, max_age=DAY)
    assert told is is_known


@pytest.mark.parametrize("change", ["better", "severity_down", "acknowledged"])
def test_good_news_of_what_nobody_knows_is_none(change: str) -> None:
    signal = incident_signal("search", 1, change=change)
    assert not wants(channel("json://x"), signal, is_matched=True, is_known=False, now=START, max_age=DAY)


def test_hours_follow_the_clock_of_their_zone() -> None:
    office = read_hours("Mon-Fri 08:00-18:00", "Europe/Berlin")
    assert office.hold(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))  # winter: 8:00 there
    assert not office.hold(datetime(2026, 11, 23, 6, 59, tzinfo=UTC))
    assert office.hold(datetime(2026, 7, 20, 6, 0, tzinfo=UTC))  # summer
    assert not office.hold(datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
    assert not office.hold(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))  # Sunday
    night = read_hours("Fri-Mon 22:00-06:00", "UTC")
    assert night.hold(datetime(2026, 11, 24, 5, 59, tzinfo=UTC))  # Tuesday morning, of Monday's night
    assert not night.hold(datetime(2026, 11, 24, 22, 0, tzinfo=UTC))
    assert not night.hold(datetime(2026, 11, 27, 5, 0, tzinfo=UTC))  # Friday morning
    assert read_hours("08:00-18:00", "UTC").days == frozenset(range(7))


@pytest.mark.parametrize(
    ("text", "zone"),
    [("always", "UTC"), ("Mon-Fry 08:00-18:00", "UTC"), ("25:00-26:00", "UTC"), ("08:00-18:00", "Moon/Sea")],
)
def test_hours_that_are_none_are_a_wrong_call(text: str, zone: str) -> None:
    with pytest.raises(WrongCall, match="are no hours"):
        read_hours(text, zone)
