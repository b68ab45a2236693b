"""OTLP in protobuf and in JSON: the same signals from both, within bounds, whatever the bytes are."""

import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.opentelemetry import json_form, logs, metrics, protobuf
from producers.opentelemetry.conventions import is_span_attribute
from producers.opentelemetry.signals import MAX_TEXT_CHARACTERS, NotOtlp, Span, moment
from producers.opentelemetry.wire import parts
from tests.opentelemetry.making import (
    PROTOBUF,
    SPAN,
    TRACE,
    attributes,
    chat,
    encoded,
    log_request,
    metric_request,
    span,
    trace_request,
)
from tokenweir.errors import RejectedInput

_READERS: list[Callable[[bytes], Any]] = [
    lambda body: protobuf.spans(body, is_span_attribute),
    lambda body: protobuf.logs(body, logs.is_log_attribute),
    lambda body: protobuf.points(body, metrics.is_point_attribute, metrics.METRICS),
]


def test_both_encodings_hold_the_same_signals() -> None:
    said = {**chat(), "gen_ai.response.finish_reasons": ["stop"], "gen_ai.prompt": "not read", "x": 1.5}
    request = trace_request(span(said), span(said, spanId="00" * 8), resource={"service.name": "s"})
    from_json = list(json_form.spans(request, is_span_attribute))
    from_protobuf = list(protobuf.spans(encoded(request, PROTOBUF), is_span_attribute))
    assert [_plain(one) for one in from_json] == [_plain(one) for one in from_protobuf]
    assert [one.span_id for one in from_protobuf] == [SPAN, ""]
    assert from_protobuf[0].trace_id == TRACE
    assert "gen_ai.prompt" not in from_protobuf[0].attributes

    records = log_request({"event.name": "codex.sse_event", "model": "m", "body": "no"})
    (one,) = json_form.logs(records, logs.is_log_attribute)
    (other,) = protobuf.logs(encoded(records, PROTOBUF), logs.is_log_attribute)
    assert _plain(one) == _plain(other)
    assert other.attributes == {"event.name": "codex.sse_event", "model": "m"}

    sums = metric_request(
        [("claude_code.token.usage", {"type": "input", "secret": "x"}, 5), ("other", {}, 1)]
    )
    wanted = (metrics.is_point_attribute, metrics.METRICS)
    from_json_points = list(json_form.points(sums, *wanted))
    points = list(protobuf.points(encoded(sums, PROTOBUF), *wanted))
    assert [_plain(one) for one in from_json_points] == [_plain(one) for one in points]
    assert (len(points), points[1]) == (2, None)


def _plain(signal: Any) -> Any:
    if signal is None:
        return None
    return {
        name: getattr(signal, name)
        for name in signal.__dataclass_fields__
        if name not in ("origin", "series")
    } | {"resource": signal.origin.resource, "scope": signal.origin.scope}


@given(st.binary(max_size=200))
def test_any_bytes_are_signals_or_no_otlp(body: bytes) -> None:
    for read in _READERS:
        with contextlib.suppress(NotOtlp):
            list(read(body))


@given(st.data())
def test_a_message_with_one_byte_changed_is_signals_or_no_otlp(data: st.DataObject) -> None:
    whole = bytearray(encoded(trace_request(span(chat()), resource={"service.name": "s"}), PROTOBUF))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NotOtlp):
        list(protobuf.spans(bytes(whole), is_span_attribute))


def test_half_a_message_is_no_otlp() -> None:
    whole = encoded(trace_request(span(chat()), span(chat())), PROTOBUF)
    for end in range(1, len(whole)):
        with pytest.raises(NotOtlp):
            list(protobuf.spans(whole[:end], is_span_attribute))


_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    _JSON_VALUES,
    st.sampled_from(
        [
            "resourceSpans",
            "scopeSpans",
            "spans",
            "traceId",
            "startTimeUnixNano",
            "attributes",
            "name",
            "status",
        ]
    ),
)
def test_any_json_in_any_place_is_signals_or_no_otlp(value: Any, place: str) -> None:
    one = span(chat())
    request = trace_request(one)
    for holder in (request, request["resourceSpans"][0], request["resourceSpans"][0]["scopeSpans"][0], one):
        if place in holder:
            holder[place] = value
    with contextlib.suppress(NotOtlp):
        for found in json_form.spans(request, is_span_attribute):
            assert isinstance(found, Span | RejectedInput)


def test_a_bad_span_in_json_costs_only_itself() -> None:
    request = trace_request(
        span(chat()),
        span(chat(), startTimeUnixNano="soon"),
        span(chat(), traceId="not hexadecimal: my prompt"),
        span(chat(), attributes=[{"key": "gen_ai.usage.input_tokens", "value": {"intValue": "many words"}}]),
        span(chat(), attributes=[{"key": "unread", "value": {"intValue": "many words"}}]),
    )
    found = list(json_form.spans(request, is_span_attribute))
    kinds = [one.field if isinstance(one, RejectedInput) else "" for one in found]
    assert kinds == ["", "startTimeUnixNano", "traceId", "gen_ai.usage.input_tokens", ""]
    assert not any("my prompt" in str(one) or "many words" in str(one) for one in found)


def test_names_as_in_the_proto_files_are_read_too() -> None:
    text = json.dumps(trace_request(span(chat())))
    for name, other in (
        ("resourceSpans", "resource_spans"),
        ("scopeSpans", "scope_spans"),
        ("traceId", "trace_id"),
        ("endTimeUnixNano", "end_time_unix_nano"),
        ("stringValue", "string_value"),
    ):
        text = text.replace(name, other)
    (found,) = json_form.spans(json.loads(text), is_span_attribute)
    (expected,) = json_form.spans(trace_request(span(chat())), is_span_attribute)
    assert isinstance(found, Span)
    assert _plain(found) == _plain(expected)


def test_long_values_are_not_kept() -> None:
    said = {"gen_ai.request.model": "m" * (MAX_TEXT_CHARACTERS + 1), "gen_ai.response.finish_reasons": []}
    request = trace_request(span(said, name="n" * 10_000))
    for found in (
        *json_form.spans(request, is_span_attribute),
        *protobuf.spans(encoded(request, PROTOBUF), is_span_attribute),
    ):
        assert isinstance(found, Span)
        assert not any(found.attributes.values())
        assert len(found.name) == MAX_TEXT_CHARACTERS


def test_millions_of_empty_spans_take_no_memory() -> None:
    empty = b"\x12\x00" * 50_000
    scope = b"\x12" + _varint(len(empty)) + empty
    body = b"\x0a" + _varint(len(scope)) + scope
    tracemalloc.start()
    count = sum(1 for _ in protobuf.spans(body, is_span_attribute))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 50_000
    assert peak < 2_000_000


def test_a_bomb_of_depth_is_no_otlp() -> None:
    value = b"\x0a\x01x"
    for _ in range(20_000):
        value = b"\x2a" + _varint(len(value) + 2) + b"\x0a" + _varint(len(value)) + value
        if len(value) > 200_000:
            break
    pair = b"\x0a\x01a\x12" + _varint(len(value)) + value
    one = b"\x4a" + _varint(len(pair)) + pair
    scope = b"\x12" + _varint(len(one)) + one
    resource = b"\x12" + _varint(len(scope)) + scope
    started = time.monotonic()
    with pytest.raises(NotOtlp):
        list(protobuf.spans(b"\x0a" + _varint(len(resource)) + resource, is_span_attribute))
    assert time.monotonic() - started < 5


def test_parts_pass_over_fields_of_every_kind() -> None:
    message = b"\x08\x96\x01" + b"\x11" + b"\0" * 8 + b"\x0a\x02hi" + b"\x1d" + b"\0" * 4 + b"\x0a\x00"
    assert [bytes(one) for one in parts(memoryview(message), 1)] == [b"hi", b""]
    for malformed in (b"\x0b", b"\x00\x01", b"\x08", b"\x0a\x05hi", b"\x11\0", b"\xff" * 11):
        with pytest.raises(NotOtlp):
            list(parts(memoryview(malformed), 1))


@pytest.mark.parametrize(
    ("time_ns", "year"), [(0, None), (1, 1970), (1_767_225_600_000_000_000, 2026), (2**64 - 1, 2554)]
)
def test_times(time_ns: int, year: int | None) -> None:
    found = moment(time_ns)
    assert (found.year if found else None) == year


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def test_attributes_of_the_test_requests_are_as_documented() -> None:
    assert attributes({"a": 1, "b": "x"}) == [
        {"key": "a", "value": {"intValue": "1"}},
        {"key": "b", "value": {"stringValue": "x"}},
    ]
