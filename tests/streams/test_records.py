"""The struct and the model are one schema: what one accepts the other accepts, with the same values."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.lines import read_lines, record_of
from streams.records import UnknownType, UsageRecord, struct_type
from tests.streams.making import NOW, a_line, an_event
from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent
from tokenweir.usage.event import EARLIEST_TIME, MAX_TOKENS, is_plausible_time
from tokenweir.usage.reading import read_event_line

USAGE_FIELDS = tuple(UsageEvent.model_fields)


def test_the_struct_has_the_models_fields_in_order() -> None:
    assert UsageRecord.__struct_fields__ == (*USAGE_FIELDS, "metering")


def test_the_structs_defaults_are_the_models() -> None:
    required = {"id": "a", "source": "b", "time": NOW, "vendor": "v", "model": "m"}
    record = UsageRecord(**required)
    event = UsageEvent(**required)
    assert record.metering is msgspec.UNSET
    assert [getattr(record, name) for name in USAGE_FIELDS] == [getattr(event, name) for name in USAGE_FIELDS]


def test_a_type_without_a_counterpart_is_named() -> None:
    with pytest.raises(UnknownType, match="bytes"):
        struct_type(bytes)


names = st.text(max_size=40) | st.sampled_from(
    ["", "search", "团队", "a" * 256, "a" * 257, "a\x00b", "a\x7f", "é\x85"]
)
counts = st.integers(-2, 3000) | st.sampled_from([MAX_TOKENS, MAX_TOKENS + 1, 2**63, 2**70, -1])
wrong = st.sampled_from([None, True, "12", 1.5, 1.0, [], {}, ""])
durations = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-3, 10**11) | st.none()
amounts = (
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-5, max_value=10**13).map(str)
    | st.integers(-3, 10**13)
    | st.sampled_from(["NaN", "Infinity", "-0", "1e5", "1e400", "x", "", 0.25, "1_000", " 7 "])
)
moments = st.integers(-20 * 86_400, 2_550 * 86_400).map(
    lambda seconds: EARLIEST_TIME + timedelta(seconds=seconds, microseconds=seconds % 999)
).map(lambda moment: moment.isoformat()) | st.sampled_from(
    [
        "2026-11-23T12:00:00Z",
        "2026-11-23T14:00:00+02:00",
        "2026-11-23 12:00:00Z",
        "2026-11-23T12:00Z",
        "2026-11-23T12:00:00",
        "2026-11-23T12:00:00.123456789Z",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "1795435200",
        "yesterday",
        "",
        1795435200,
    ]
)
FIELD_VALUES: dict[str, st.SearchStrategy[Any]] = {
    **{
        name: names | wrong
        for name in USAGE_FIELDS
        if UsageEvent.model_fields[name].annotation is str and name not in ("id", "vendor", "model", "source")
    },
    **{name: counts | wrong for name in USAGE_FIELDS if name.endswith("_tokens")},
    "status": st.sampled_from(["ok", "error", "filtered", "OK", "", 3]),
    "attempt": st.integers(-1, 1002),
    "duration_ms": durations,
    "ttft_ms": durations,
    "streaming": st.sampled_from([True, False, 0, "true"]),
    "reported_cost": amounts | st.none(),
    "units": st.dictionaries(names, amounts, max_size=4) | wrong,
    "tags": st.dictionaries(names, names, max_size=4)
    | st.integers(31, 34).map(lambda count: {str(number): "" for number in range(count)})
    | wrong,
    "time": moments,
    "prompt": st.just("secret"),
    "cost": st.sampled_from([None, "1"]),
    "version": st.just(1),
    "metered_at": st.sampled_from([None, "2026-11-23T12:00:00Z"]),
    "metering": st.just("x"),
}


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    fields: dict[str, Any] = {
        "id": draw(names | st.just("openai:1")),
        "source": "sdk",
        "time": "2026-11-23T12:00:00Z",
        "vendor": "openai",
        "model": "gpt-4o",
    }
    for name in draw(st.lists(st.sampled_from(sorted(FIELD_VALUES)), max_size=4, unique=True)):
        fields[name] = draw(FIELD_VALUES[name])
    if draw(st.booleans()) and draw(st.booleans()):
        del fields[draw(st.sampled_from(sorted(fields)))]
    text = json.dumps(fields, ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", errors="surrogatepass")


def _same(record: Any, event: UsageEvent) -> None:
    for name in USAGE_FIELDS:
        mine, its = getattr(record, name), getattr(event, name)
        if name == "time":
            assert abs(mine - its) <= timedelta(microseconds=1)
            assert mine.utcoffset() == timedelta(0)
        else:
            assert mine == its, name
            assert type(mine) is type(its), name


@settings(max_examples=600)
@given(st.lists(lines(), min_size=1, max_size=3))
def test_every_line_gets_the_models_verdict(batch: list[bytes]) -> None:
    records, _, _, bad = read_lines(b"\n".join(batch), NOW)
    refused = {one.number: one.error.reason for one in bad}
    assert len(records) + len(bad) == len(batch)
    waiting = iter(records)
    for number, line in enumerate(batch):
        reason, event = model_verdict(line)
        assert refused.get(number, "") == reason, line
        if event is not None:
            _same(next(waiting), event)


def model_verdict(line: bytes) -> tuple[str, UsageEvent | None]:
    try:
        return "", read_event_line(line, now=NOW)
    except RejectedInput as error:
        return error.reason, None


@given(lines())
def test_what_the_model_itself_refuses_is_refused(line: bytes) -> None:
    try:
        event = UsageEvent.model_validate_json(line)
        accepted = is_plausible_time(event.time, NOW)
    except (ValidationError, OverflowError):
        accepted = False
    records, _, _, bad = read_lines(line, NOW)
    assert (len(records), len(bad)) == ((1, 0) if accepted else (0, 1))


def test_a_number_of_many_digits_keeps_them() -> None:
    line = a_line()[:-1] + b',"units":{"gb":0.12345678901234567890}}'
    (record,), _, _, _ = read_lines(line, NOW)
    assert record.units == {"gb": Decimal("0.12345678901234567890")}
    _same(record, read_event_line(line, now=NOW))


def test_a_checked_event_becomes_the_same_record() -> None:
    event = an_event(tags={"a": "b"}, units={"images": Decimal(2)}, reported_cost=Decimal("0.5"))
    _same(record_of(event), event)
