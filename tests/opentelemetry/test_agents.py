"""What coding agents log and measure, as events; and that nothing is counted twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from producers.opentelemetry import json_form, logs, metrics
from producers.opentelemetry.reading import Uncounted
from producers.opentelemetry.signals import LogRecord, Point
from tests.opentelemetry.making import CONTEXT, NOW, SPAN, TRACE, chat, log_request, metric_request
from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent
from tokenweir.usage.reading import read_event_object

_CLAUDE = {"service.name": "claude-code"}
_REQUEST = {
    "event.name": "api_request",
    "model": "claude-sonnet-4-5-20250929",
    "input_tokens": 100,
    "output_tokens": 20,
    "cache_read_tokens": 5_000,
    "cache_creation_tokens": 300,
    "cost_usd": 0.0123,
    "duration_ms": 1_521,
    "request_id": "req_1",
    "session.id": "s-1",
    "event.sequence": 7,
    "user.email": "dev@example.org",
    "query_source": "repl_main_thread",
    "prompt": "never read",
}


def _read(request: dict[str, Any]) -> UsageEvent | str:
    (record,) = json_form.logs(request, logs.is_log_attribute)
    assert isinstance(record, LogRecord)
    known = logs.event_of_record(record)
    if known is None:
        return "unknown"
    found = known.read(record, CONTEXT)
    return found.reason if isinstance(found, Uncounted) else read_event_object(found, now=NOW)


def _event(said: dict[str, Any], resource: dict[str, Any] | None = None) -> UsageEvent:
    found = _read(log_request(said, resource=resource))
    assert isinstance(found, UsageEvent), found
    return found


def test_claude_code_stands_beside_its_cache() -> None:
    event = _event(_REQUEST, _CLAUDE)
    assert (event.id, event.vendor, event.model) == ("anthropic:req_1", "anthropic", _REQUEST["model"])
    assert (event.input_tokens, event.cache_read_tokens, event.cache_write_tokens) == (5_400, 5_000, 300)
    assert (event.output_tokens, event.duration_ms, event.session) == (20, 1_521.0, "s-1")
    assert (str(event.reported_cost), event.reported_currency) == ("0.0123", "USD")
    assert (event.user, event.tags) == ("dev@example.org", {"query_source": "repl_main_thread"})


def test_claude_code_values_as_strings_are_the_same() -> None:
    as_text = {name: str(value) for name, value in _REQUEST.items()}
    assert _event(as_text, _CLAUDE) == _event(_REQUEST, _CLAUDE)
    assert _event({**_REQUEST, "event.name": "claude_code.api_request"}) == _event(
        _REQUEST, _CLAUDE
    ).model_copy(update={"service": ""})


@pytest.mark.parametrize(
    ("model", "vendor"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("claude-sonnet-4-5@20250929", "google"),
        ("claude-opus-4-7", "anthropic"),
        ("my-own-deployment", "anthropic"),
    ],
)
def test_claude_code_on_other_hosts(model: str, vendor: str) -> None:
    event = _event({**_REQUEST, "model": model}, _CLAUDE)
    assert (event.vendor, event.id) == (vendor, f"{vendor}:req_1")


def test_claude_code_without_a_request_id_is_named_by_session_and_sequence() -> None:
    said = {name: value for name, value in _REQUEST.items() if name != "request_id"}
    assert _event(said, _CLAUDE).id == "claude_code:s-1/7"


def test_claude_code_fast_mode_is_a_tier_and_a_failure_an_outcome() -> None:
    assert _event({**_REQUEST, "speed": "fast"}, _CLAUDE).service_tier == "fast"
    error = {"event.name": "api_error", "model": "claude-opus-4-7", "status_code": "429", "attempt": 3}
    event = _event({**error, "error": "never read", "session.id": "s", "event.sequence": 9}, _CLAUDE)
    assert (event.status, event.error_code, event.attempt, event.input_tokens) == (
        "rate_limited",
        "429",
        3,
        0,
    )


def test_the_bare_event_names_of_another_application_are_not_claude_codes() -> None:
    assert _read(log_request(_REQUEST)) == "no_inference"
    assert _read(log_request({"event.name": "user_prompt"}, resource=_CLAUDE)) == "unknown"


def test_codex_counts_the_completed_answer_only() -> None:
    said = {
        "event.name": "codex.sse_event",
        "event.kind": "response.completed",
        "event.timestamp": "2026-01-01T00:00:00.123Z",
        "conversation.id": "c-1",
        "model": "gpt-5.3-codex",
        "input_token_count": "23",
        "output_token_count": "7",
        "cached_token_count": "5",
        "reasoning_token_count": "3",
        "tool_token_count": "30",
        "auth_mode": "Chatgpt",
    }
    event = _event(said)
    assert event.id == "codex:c-1/2026-01-01T00:00:00.123Z"
    assert (event.vendor, event.input_tokens, event.cache_read_tokens) == ("openai", 23, 5)
    assert (event.output_tokens, event.reasoning_tokens, event.tags) == (7, 3, {"auth_mode": "Chatgpt"})
    assert _read(log_request({**said, "event.kind": "response.output_text.delta"})) == "no_inference"


def test_gemini_cli_adds_thoughts_and_tools() -> None:
    said = {
        "event.name": "gemini_cli.api_response",
        "event.timestamp": "2026-01-01T00:00:00.123Z",
        "session.id": "s-1",
        "prompt_id": "s-1########0",
        "model": "gemini-3-flash",
        "duration_ms": 812,
        "input_token_count": 100,
        "output_token_count": 20,
        "cached_content_token_count": 40,
        "thoughts_token_count": 10,
        "tool_token_count": 5,
        "total_token_count": 135,
        "auth_type": "oauth-personal",
        "response_text": "never read",
    }
    event = _event(said)
    assert event.id == "gemini_cli:s-1/s-1########0/2026-01-01T00:00:00.123Z"
    assert event.input_tokens + event.output_tokens == said["total_token_count"]
    assert (event.cache_read_tokens, event.reasoning_tokens, event.output_tokens) == (40, 10, 30)
    assert (event.vendor, event.tags) == ("google", {"auth_type": "oauth-personal"})
    failed = _event({"event.name": "gemini_cli.api_error", "model": "gemini-3-flash", "status_code": 503})
    assert (failed.status, failed.error_code) == ("error", "503")


def test_the_conventions_own_event_has_the_name_of_its_span() -> None:
    details = {"event.name": "gen_ai.client.inference.operation.details", **chat(5)}
    request = log_request(details)
    request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0] |= {"traceId": TRACE, "spanId": SPAN}
    event = _read(request)
    assert isinstance(event, UsageEvent)
    assert (event.id, event.input_tokens) == (f"otel:{TRACE}/{SPAN}", 5)
    assert _read(log_request(details, resource={"service.name": "gemini-cli"})) == "reported_by_logs"


_SERIES = {"model": "claude-opus-4-5", "session.id": "s-1", "user.email": "dev@example.org"}
_POINTS: list[tuple[str, dict[str, Any], Any]] = [
    ("claude_code.token.usage", {**_SERIES, "type": "input"}, 1_200),
    ("claude_code.token.usage", {**_SERIES, "type": "output"}, 350),
    ("claude_code.token.usage", {**_SERIES, "type": "cacheRead"}, 800),
    ("claude_code.token.usage", {**_SERIES, "type": "cacheCreation"}, 50),
    ("claude_code.cost.usage", _SERIES, 0.042),
]


def _measured(request: dict[str, Any]) -> list[UsageEvent]:
    intervals: dict[tuple[str, int, int], metrics.Interval] = {}
    for number, point in enumerate(json_form.points(request, metrics.is_point_attribute, metrics.METRICS)):
        assert isinstance(point, Point)
        metrics.add(intervals, number, point)
    found = [metrics.fields_of(one, CONTEXT) for one in intervals.values()]
    return [read_event_object(one, now=NOW) for one in found if not isinstance(one, Uncounted)]


def test_points_of_one_interval_are_one_event() -> None:
    (event,) = _measured(metric_request(_POINTS))
    assert (event.input_tokens, event.cache_read_tokens, event.cache_write_tokens) == (2_050, 800, 50)
    assert (event.output_tokens, str(event.reported_cost), event.user) == (350, "0.042", "dev@example.org")
    assert (event.vendor, event.model, event.session) == ("anthropic", "claude-opus-4-5", "s-1")
    other = [(name, {**said, "session.id": "s-2"}, value) for name, said, value in _POINTS]
    assert len({one.id for one in _measured(metric_request([*_POINTS, *other]))}) == 2


def test_a_cumulative_total_keeps_its_name_and_a_delta_does_not() -> None:
    grown = [(name, said, value * 2) for name, said, value in _POINTS]

    def later(request: dict[str, Any]) -> dict[str, Any]:
        moved = str(int(request_end(request)) + 60_000_000_000)
        return json.loads(json.dumps(request).replace(request_end(request), moved))

    def request_end(request: dict[str, Any]) -> str:
        metric = request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
        return str(metric["sum"]["dataPoints"][0]["timeUnixNano"])

    (first,) = _measured(metric_request(_POINTS, delta=False))
    (second,) = _measured(later(metric_request(grown, delta=False)))
    assert (first.id, 2 * first.input_tokens) == (second.id, second.input_tokens)
    assert second.time > first.time
    (delta,) = _measured(metric_request(_POINTS))
    (next_delta,) = _measured(later(metric_request(_POINTS)))
    assert delta.id != next_delta.id


def test_gemini_clis_points() -> None:
    points: list[tuple[str, dict[str, Any], Any]] = [
        ("gemini_cli.token.usage", {"model": "gemini-3-flash", "type": kind}, count)
        for kind, count in (("input", 100), ("output", 20), ("cache", 40), ("thought", 10), ("tool", 5))
    ]
    (event,) = _measured(metric_request(points))
    assert (event.input_tokens, event.cache_read_tokens) == (105, 40)
    assert (event.output_tokens, event.reasoning_tokens, event.vendor) == (30, 10, "google")


@pytest.mark.parametrize(
    ("said", "value", "field"),
    [({"type": "unheard-of"}, 5, "type"), ({}, 5, "type"), ({"type": "input"}, -5, "value")],
)
def test_a_point_that_cannot_be_counted_is_refused(said: dict[str, Any], value: int, field: str) -> None:
    (point,) = json_form.points(
        metric_request([("claude_code.token.usage", said, value)]),
        metrics.is_point_attribute,
        metrics.METRICS,
    )
    assert isinstance(point, Point)
    with pytest.raises(RejectedInput) as refusal:
        metrics.add({}, 0, point)
    assert refusal.value.field == field


@pytest.mark.shared_data
def test_the_reference_log_of_claude_code(shared_data: Path) -> None:
    (sample,) = json.loads((shared_data / "samples" / "claude_code__otlp_logs.json").read_text())["samples"]
    event = _read(sample["raw"])
    assert isinstance(event, UsageEvent)
    assert event.input_tokens == sample["expected"]["usage"]["input_tokens"]
    assert str(event.reported_cost) == sample["expected"]["usage"]["cost_usd"]
