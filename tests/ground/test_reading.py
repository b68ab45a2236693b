"""One line of untrusted input: read, or refused with the right word and nothing of its values."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent, wire
from tokenweir.usage.reading import read_event_line, read_event_object
from tokenweir.usage.rejection import Reason

_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_CANARY = "ZEBRA7431"
_EVENT: dict[str, Any] = {
    "id": "openai:1",
    "source": "test",
    "time": "2026-05-01T10:00:00Z",
    "vendor": "openai",
    "model": "gpt-4o",
}


def _line(**changes: Any) -> bytes:
    fields = _EVENT | changes
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def test_a_good_line_is_the_event() -> None:
    line = _line(input_tokens=5, units={"images": "2.50"}, tags={"a": "b"}, time="2026-05-01T12:00:00+02:00")
    event = read_event_line(line + b"\r\n", now=_NOW)
    assert event.time == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert read_event_line(wire.encode_event(event), now=_NOW) == event


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        (b"", "invalid_json", ""),
        (b"{", "invalid_json", ""),
        (b'{"id": "\xff"}', "invalid_json", ""),
        (b"[" * 10_000, "invalid_json", ""),
        (b"[]", "wrong_type", ""),
        (b"null", "wrong_type", ""),
        (_line(input_tokens="5"), "wrong_type", "input_tokens"),
        (_line(input_tokens=5.5), "wrong_type", "input_tokens"),
        (_line(input_tokens=True), "wrong_type", "input_tokens"),
        (_line(model=None), "wrong_type", "model"),
        (_line(tags={"a": 1}), "wrong_type", "tags"),
        (_line(time=1_700_000_000), "wrong_type", "time"),
        (_line(time="yesterday"), "wrong_type", "time"),
        (_line(source=...), "missing_field", "source"),
        (_line(prompt_tokens=5), "unknown_field", "prompt_tokens"),
        (_line(**{f"{_CANARY} and more words": 1}), "unknown_field", "[name of 24 characters]"),
        (_line(input_tokens=-1), "out_of_range", "input_tokens"),
        (_line(input_tokens=10**12), "out_of_range", "input_tokens"),
        (_line(input_tokens=10**40), "out_of_range", "input_tokens"),
        (_line(units={"images": -1}), "out_of_range", "units"),
        (_line(units={"images": "NaN"}), "out_of_range", "units"),
        (_line(duration_ms=1e300), "out_of_range", "duration_ms"),
        (_line(status="great"), "out_of_range", "status"),
        (_line(team="x" * 257), "out_of_range", "team"),
        (_line(id=""), "out_of_range", "id"),
        (_line(input_tokens=5, cache_read_tokens=6), "subset_exceeds_total", ""),
        (_line(output_tokens=5, reasoning_tokens=6), "subset_exceeds_total", ""),
        (_line(time="1970-01-01T00:00:00Z"), "implausible_time", "time"),
        (_line(time="2026-05-01T10:00:00"), "implausible_time", "time"),
        (_line(time="2026-06-02T00:00:01Z"), "implausible_time", "time"),
        (_line(time="9999-12-31T23:59:59-10:00"), "implausible_time", "time"),
        (_line(user="a\x00b"), "control_character", "user"),
        (_line(tags={"a\x1f": "b"}), "control_character", "tags"),
        (_line(units={"a\x1f": 1}), "control_character", "units"),
        (_line(tags={str(number): "" for number in range(33)}), "too_many_tags", "tags"),
        (_line(tags={str(number): "" for number in range(20_000)}), "too_large", ""),
        (b"x" * 20_000_000, "too_large", ""),
    ],
)
def test_a_bad_line_is_refused_by_its_reason(line: bytes, reason: str, field: str) -> None:
    with pytest.raises(RejectedInput) as refusal:
        read_event_line(line, now=_NOW)
    assert (refusal.value.reason, refusal.value.field) == (reason, field)
    assert refusal.value.hint
    assert reason in get_args(Reason)


def test_a_clock_may_run_ahead_by_a_day() -> None:
    assert read_event_line(_line(time="2026-06-02T00:00:00Z"), now=_NOW).time == _NOW + timedelta(days=1)


def _refusal_of(line: bytes) -> RejectedInput | None:
    try:
        read_event_line(line, now=_NOW)
    except RejectedInput as refusal:
        return refusal
    return None


@pytest.mark.parametrize("name", list(UsageEvent.model_fields))
def test_no_sentence_quotes_a_value(name: str) -> None:
    for value in (_CANARY, [_CANARY], {_CANARY: _CANARY}, f"\x00{_CANARY}", _CANARY * 100, f"2026-{_CANARY}"):
        refusal = _refusal_of(_line(**{name: value}))
        if refusal is not None:
            assert _CANARY not in str(refusal)
            assert _CANARY not in refusal.field
            assert refusal.__cause__ is None


_OBJECTS = st.dictionaries(st.text(), st.text() | st.integers()).map(lambda one: json.dumps(one).encode())


@given(st.binary() | _OBJECTS)
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    refusal = _refusal_of(line)
    assert refusal is not None
    assert refusal.reason in get_args(Reason)


def test_an_object_of_python_values_is_read_by_the_same_rules() -> None:
    fields = _EVENT | {"time": _NOW - timedelta(days=1), "reported_cost": Decimal("0.10")}
    assert read_event_object(fields, now=_NOW).reported_cost == Decimal("0.10")
    with pytest.raises(RejectedInput) as refusal:
        read_event_object(fields | {"time": _NOW + timedelta(days=2)}, now=_NOW)
    assert refusal.value.reason == "implausible_time"
    with pytest.raises(RejectedInput) as refusal:
        read_event_object([_CANARY], now=_NOW)
    assert refusal.value.reason == "wrong_type"
    assert _CANARY not in str(refusal.value)


amounts = st.builds(
    lambda digits, places: Decimal(f"{digits}e-{places}"), st.integers(0, 10**30), st.integers(18, 40)
)


@given(amounts, amounts, st.floats(0, 1e9))
def test_amounts_are_read_digit_by_digit_as_they_are_written(
    unit: Decimal, cost: Decimal, duration_ms: float
) -> None:
    texts = [str(amount) if "E" in str(amount) else format(amount, "f") for amount in (unit, cost)]
    body = _line(
        id="x:1234567890123456", duration_ms=duration_ms, reported_currency="USD", tags={"n": "1.50"}
    )
    line = body[:-1] + b',"units":{"gb":%b},"reported_cost":%b}' % tuple(text.encode() for text in texts)
    event = read_event_line(line, now=_NOW)
    assert (event.units, event.reported_cost) == ({"gb": unit}, cost)
    assert type(event.units["gb"]) is type(event.reported_cost) is Decimal
    assert (event.duration_ms, event.tags) == (duration_ms, {"n": "1.50"})


@pytest.mark.parametrize(
    "member",
    [
        b'"units":1.23456789012345678',
        b'"units":{"gb":[1.23456789012345678]}',
        b'"units":{"gb":1000000000000.00001}',
        b'"tags":{"gb":1.23456789012345678}',
        b'"input_tokens":1.23456789012345678',
        b'"reported_cost":NaN,"duration_ms":1.23456789012345678',
        b'"units":{"gb":1.23456789012345678}}',
        b'"user":"\xff 1.23456789012345678"',
    ],
)
def test_long_numbers_out_of_place_are_refused(member: bytes) -> None:
    with pytest.raises(RejectedInput):
        read_event_line(_line()[:-1] + b"," + member + b"}", now=_NOW)
