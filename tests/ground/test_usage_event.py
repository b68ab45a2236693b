"""What UsageEvent takes and what it refuses."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tokenweir.usage import UsageEvent
from tokenweir.usage.event import (
    EARLIEST_TIME,
    MAX_TAGS,
    MAX_TOKENS,
    is_plausible_time,
    subset_problem,
)
from tokenweir.usage.event import SUBSETS as SUBSETS_OF
from tokenweir.usage.wire import MAX_EVENT_BYTES, encode_batch, encode_event, schema_version_of, workload_key

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def event(**changes: Any) -> UsageEvent:
    values: dict[str, Any] = {
        "id": "openai:chatcmpl-1",
        "source": "sdk",
        "time": NOW,
        "vendor": "openai",
        "model": "gpt-4o",
        "input_tokens": 100,
        "output_tokens": 20,
    }
    return UsageEvent.model_validate(values | changes)


def test_an_event_survives_the_wire() -> None:
    original = event(
        tags={"feature": "search"},
        units={"images": Decimal("1.5")},
        cache_read_tokens=40,
        duration_ms=812.25,
        reported_cost=Decimal("0.000123456789"),
        reported_currency="USD",
    )
    assert UsageEvent.model_validate_json(encode_event(original)) == original


def test_defaults_are_left_out_of_the_line() -> None:
    assert b"team" not in encode_event(event())
    assert encode_batch([event(), event()]).count(b"\n") == 1


def test_time_is_turned_to_utc() -> None:
    beijing = timezone(timedelta(hours=8))
    assert event(time=datetime(2026, 11, 23, 20, tzinfo=beijing)).time == NOW
    assert event(time=datetime(2026, 11, 23, 20, tzinfo=beijing)).time.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "changes",
    [
        {"input_tokens": -1},
        {"input_tokens": MAX_TOKENS + 1},
        {"input_tokens": "100"},
        {"input_tokens": 1.5},
        {"input_tokens": True},
        {"time": datetime(1970, 1, 1, tzinfo=UTC)},
        {"time": datetime(2026, 1, 1)},  # noqa: DTZ001 - a naive time is the point
        {"vendor": ""},
        {"id": ""},
        {"id": "x" * 513},
        {"team": "a\x00b"},
        {"team": "a\x1fb"},
        {"team": None},
        {"tags": {f"k{number}": "v" for number in range(MAX_TAGS + 1)}},
        {"tags": {"key": 1}},
        {"prompt": "hello"},
        {"status": "fine"},
        {"attempt": 0},
        {"duration_ms": -1.0},
        {"duration_ms": float("nan")},
        {"units": {"images": Decimal("-1")}},
        {"units": {"images": Decimal("NaN")}},
        {"reported_cost": Decimal("-0.01")},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        event(**changes)


SUBSETS = [
    ({"cache_read_tokens": 101}, "cache_read_tokens"),
    ({"cache_read_tokens": 60, "cache_write_tokens": 41}, "cache_write_tokens"),
    ({"cache_write_tokens": 10, "cache_write_1h_tokens": 11}, "cache_write_1h_tokens"),
    ({"input_audio_tokens": 60, "input_image_tokens": 41}, "input_audio_tokens"),
    ({"reasoning_tokens": 21}, "reasoning_tokens"),
    ({"output_audio_tokens": 11, "output_image_tokens": 10}, "output_audio_tokens"),
]


@pytest.mark.parametrize(("changes", "named"), SUBSETS)
def test_a_subset_larger_than_its_total_is_refused_by_name(changes: dict[str, int], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        event(**changes)


_TOTALS = sorted({name for total, parts in SUBSETS_OF for name in (total, *parts)})


@given(st.fixed_dictionaries({name: st.integers(0, 3) for name in _TOTALS}))
def test_the_table_of_subsets_says_what_the_check_says(counts: dict[str, int]) -> None:
    exceeds = any(sum(counts[part] for part in parts) > counts[total] for total, parts in SUBSETS_OF)
    assert exceeds == bool(subset_problem(UsageEvent.model_construct(**counts)))


@given(total=st.integers(0, 10**6), read=st.integers(0, 10**6), written=st.integers(0, 10**6))
def test_cached_tokens_are_taken_just_where_they_fit(total: int, read: int, written: int) -> None:
    fits = read + written <= total
    try:
        event(input_tokens=total, cache_read_tokens=read, cache_write_tokens=written)
    except ValidationError:
        assert not fits
    else:
        assert fits


def test_a_line_with_everything_full_fits_its_limit() -> None:
    full = event(
        tags={f"{number:064d}": "v" * 256 for number in range(MAX_TAGS)},
        units={f"{number:064d}": Decimal("123456789.123456789012") for number in range(MAX_TAGS)},
        **dict.fromkeys(
            ("team", "project", "service", "environment", "user", "session", "region"), "x" * 256
        ),
    )
    assert len(encode_event(full)) < MAX_EVENT_BYTES


def test_plausible_times() -> None:
    assert is_plausible_time(NOW, NOW)
    assert is_plausible_time(NOW + timedelta(hours=23), NOW)
    assert not is_plausible_time(NOW + timedelta(hours=25), NOW)
    assert not is_plausible_time(EARLIEST_TIME - timedelta(seconds=1), NOW)


def test_workload_keys_do_not_run_together() -> None:
    assert workload_key("a", "b", "", "c") != workload_key("a", "", "b", "c")


def test_a_message_without_a_schema_header_has_version_one() -> None:
    assert schema_version_of(None) == "1"
    assert schema_version_of([("tokenweir-schema", b"2")]) == "2"
