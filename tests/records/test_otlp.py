"""OTLP in JSON as a record: what the Collector's file exporter writes, found by its look."""

import json

import pytest

from producers import records
from producers.files import formats
from tests.opentelemetry.making import attributes, chat
from tests.records.reading import CANARY, read
from tokenweir.errors import RejectedInput

_TRACE = "5b8efff798038103d269b633813fc60c"


def request(*spans: dict[str, object]) -> dict[str, object]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def span(span_id: str, parent: str = "", **more: object) -> dict[str, object]:
    said = attributes({**chat(100), "gen_ai.response.id": f"r-{span_id}", "gen_ai.prompt": CANARY, **more})
    ids = {"traceId": _TRACE, "spanId": span_id, "parentSpanId": parent}
    return {**ids, "name": "chat", "startTimeUnixNano": "1767225600000000000", "attributes": said}


def test_the_innermost_spans_count() -> None:
    events = read(request(span("aa01"), span("aa02", "aa01"), span("aa03", "aa01")))
    assert sorted(event.id.rpartition(":")[2] for event in events) == ["r-aa02", "r-aa03"]
    assert CANARY not in "".join(event.model_dump_json() for event in events)


def test_a_signal_that_cannot_be_read_refuses_its_line() -> None:
    with pytest.raises(RejectedInput):
        read(request(span("aa01"), span("not hexadecimal")))


def test_it_is_found_by_its_look_and_metrics_are_not() -> None:
    assert records.detect(request()) == "otlp"
    assert records.detect({"resourceLogs": []}) == "otlp"
    assert records.detect({"event.name": "codex.sse_event"}) == "otlp"
    assert records.detect({"event.name": "page_view"}) == ""
    assert records.detect({"metrics": [{"name": "claude_code.token.usage"}]}) == ""
    assert {"otlp", "otlp_metrics"} <= set(formats.format_names())


def test_a_request_of_metrics_alone_is_no_call() -> None:
    point = {"attributes": attributes({"type": "input", "model": "claude-x"}), "asInt": "7"}
    total = {"dataPoints": [{**point, "timeUnixNano": "1767225600000000000"}], "aggregationTemporality": 1}
    metric = {"name": "claude_code.token.usage", "sum": total}
    body = json.loads(json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}))
    assert read(body) == []
    assert [event.input_tokens for event in read(body, form="otlp_metrics")] == [7]
