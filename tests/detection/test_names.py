"""Names that are told apart: all there usually are, so many where somebody makes them up, and so after a restart."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detection.minutes import TenantMinutes
from streams.detection.names import FORGET_DAYS, OTHER, KnownNames
from streams.windows import decode_windows
from tests.detection.logs import NOON_MS, windows
from tokenweir.usage.event import GROUP_FIELDS

DAY = 24 * 60
SERVICE = GROUP_FIELDS.index("service")


def key(service: str) -> tuple[str, ...]:
    named = {"tenant": "acme", "team": "search", "service": service, "model": "gpt-5-mini"}
    return tuple(named.get(field, "") for field in GROUP_FIELDS)


def test_names_too_many_count_for_another_and_those_that_are_known_stay() -> None:
    known = KnownNames(100)
    assert known.fold(key("ranker"), 0) == key("ranker")
    taken = [known.fold(key(f"request-{number}"), number)[SERVICE] for number in range(1, 1_000)]
    assert taken[:98] == [f"request-{number}" for number in range(1, 99)]
    assert set(taken[99:]) == {OTHER}
    assert known.fold(key("ranker"), 1_000) == key("ranker")
    assert known.fold(key("request-500"), 1_000) == key(OTHER)


def test_a_name_that_was_silent_for_weeks_makes_room() -> None:
    known = KnownNames(100)
    for number in range(200):
        known.fold(key(f"old-{number}"), 1)
    assert known.fold(key("old-150"), 2)[SERVICE] == OTHER
    known.fold(key("old-7"), 10 * DAY)
    late = 1 + FORGET_DAYS * DAY + 1
    assert known.fold(key("fresh"), late) == key("fresh")
    assert known.fold(key("old-7"), late) == key("old-7")
    _, _, names = known.state()
    assert set(names[SERVICE - 1]) == {"old-7", "fresh"}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60)), max_size=150),
    st.integers(0, 150),
)
def test_a_restart_changes_nothing(calls: list[tuple[int, int]], cut: int) -> None:
    unbroken, broken = KnownNames(5), KnownNames(5)
    for number, (name, day) in enumerate(calls):
        if number == cut:
            fresh = KnownNames(5)
            fresh.restore(broken.state())
            broken = fresh
        each = key(f"service-{name}")
        assert unbroken.fold(each, day * DAY) == broken.fold(each, day * DAY)
    assert unbroken.state() == broken.state()


def test_what_is_of_names_too_many_is_counted_and_lost_to_nobody() -> None:
    minutes = TenantMinutes("acme", close_after_ms=10_000, hold_ms=5_000, most_names=100)
    for number in range(1_000):
        minutes.take(decode_windows(windows(1, team=f"request-{number}", offset=number)), NOON_MS)
    assert 890 <= minutes.too_many <= 910
    again = TenantMinutes("acme", close_after_ms=10_000, hold_ms=5_000, most_names=100)
    again.restore(minutes.state())
    again.certify(NOON_MS + 70_000)
    (closed,) = again.close(NOON_MS + 70_000)
    assert len(closed.rows) <= 101
    assert sum(row.sums.calls for row in closed.rows) == 1_000
    assert max(closed.rows, key=lambda row: row.sums.calls).names["team"] == OTHER
