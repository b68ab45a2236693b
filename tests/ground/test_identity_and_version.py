"""Names of calls, and which of several reports of one call is kept."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.ground.test_usage_event import event
from tokenweir.usage.identity import new_event_id, new_uuid7, row_event_id, vendor_event_id
from tokenweir.usage.version import FULLNESS_FIELDS, fullness, fullness_by_column, report_version

MILLISECONDS = st.integers(0, 2**43)


def test_a_row_has_one_name_however_often_it_is_read() -> None:
    assert row_event_id("log", b"a,b,c", 0) == row_event_id("log", b"a,b,c", 0)
    assert row_event_id("log", b"a,b,c", 0) != row_event_id("log", b"a,b,c", 1)
    assert row_event_id("log", b"a,b,c", 0) != row_event_id("other", b"a,b,c", 0)


def test_a_vendors_response_names_the_call() -> None:
    assert vendor_event_id("openai", "chatcmpl-1") == "openai:chatcmpl-1"


def test_made_up_names_are_version_seven_and_rise() -> None:
    names = [new_uuid7() for _ in range(100)]
    assert {name.version for name in names} == {7}
    assert {name.variant for name in names} == {UUID(int=0x8000 << 48 | 7 << 76).variant}
    assert len(set(names)) == 100
    assert new_event_id("sdk").startswith("sdk:")


@given(earlier=MILLISECONDS, later=MILLISECONDS)
def test_the_fuller_report_wins_whichever_came_first(earlier: int, later: int) -> None:
    poor, full = event(), event(team="search", duration_ms=10.0)
    assert report_version(full, earlier) > report_version(poor, later)


@given(first=MILLISECONDS, wait=st.integers(1, 10**6), revision=st.integers(0, 4095))
def test_of_equally_full_reports_the_later_wins_even_over_a_repricing(
    first: int, wait: int, revision: int
) -> None:
    assert report_version(event(), first + wait) > report_version(event(), first, revision)


@given(first=MILLISECONDS, revision=st.integers(0, 4094))
def test_a_repricing_wins_over_what_it_reprices(first: int, revision: int) -> None:
    assert report_version(event(), first, revision + 1) > report_version(event(), first, revision)


def test_a_version_fits_64_bits_and_fullness_its_byte() -> None:
    assert len(FULLNESS_FIELDS) < 256
    assert report_version(event(), 2**60, 10**6) < 2**64
    assert fullness(event()) == 2


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "input_tokens": st.integers(0, 2),
                "team": st.sampled_from(["", "search"]),
                "ttft_ms": st.none() | st.floats(0, 2),
                "units": st.just({"images": Decimal(1)}),
            },
        ),
        max_size=8,
    )
)
def test_fullness_is_the_same_counted_by_column(changes: list[dict[str, Any]]) -> None:
    events = [event(**change) for change in changes]
    columns = {name: [getattr(each, name) for each in events] for name in FULLNESS_FIELDS}
    assert fullness_by_column(columns) == [fullness(each) for each in events]
