"""Whatever an answer or a stream holds, a reader gives events or a typed refusal, and never a prompt."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.files import parse_answers
from producers.vendors import AnswerContext, guess_vendor, read_calls, read_stream, surfaces, vendors
from producers.vendors.answer import Answer
from producers.vendors.registry import streams_of
from tokenweir.errors import RejectedInput
from tokenweir.usage import UsageEvent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONTEXT = AnswerContext(source="test", now=NOW)
CANARY = "the quick brown canary"

COUNTS: dict[str, Any] = {
    "prompt_tokens": 9,
    "completion_tokens": 8,
    "total_tokens": 17,
    "input_tokens": 9,
    "output_tokens": 8,
    "inputTokens": 9,
    "outputTokens": 8,
    "cacheReadInputTokens": 1,
    "cacheDetails": [{"inputTokens": 1, "ttl": "1h"}],
    "total_input_tokens": 9,
    "total_output_tokens": 8,
    "input_tokens_by_modality": [{"modality": "image", "tokens": 1}],
    "grounding_tool_count": [{"type": "google_search", "count": 1}],
    "billed_units": {"input_tokens": 9.0, "search_units": 1},
    "seconds": 1.5,
    "type": "duration",
    "prompt_tokens_details": {"cached_tokens": 1},
    "input_tokens_details": {"cached_tokens": 1},
    "input_token_details": {"cached_tokens_details": {"audio_tokens": 1}},
    "output_tokens_details": {"reasoning_tokens": 1},
    "cache_creation": {"ephemeral_1h_input_tokens": 1},
    "iterations": [{"type": "compaction", "input_tokens": 1}, {"type": "fallback_message", "model": "m2"}],
    "server_tool_use": {"web_search_requests": 1},
    "service_tier": "standard",
}
WHOLE: dict[str, Any] = {
    "id": "x1",
    "custom_id": "c",
    "type": "message",
    "event_type": "interaction.completed",
    "object": "video",
    "seconds": "8",
    "size": "1024x1792",
    "quality": "high",
    "model": "m",
    "modelVersion": "m",
    "modelId": "arn:aws:bedrock:eu-west-1:1:x/m",
    "created": 1_770_000_000,
    "created_at": 1_770_000_000,
    "createTime": "2026-01-01T00:00:00Z",
    "service_tier": "default",
    "serviceTier": {"type": "default"},
    "status": "completed",
    "finish_reason": "COMPLETE",
    "choices": [{"finish_reason": "stop", "message": {"content": CANARY}, "delta": {"content": CANARY}}],
    "candidates": [
        {
            "content": {"parts": [{"text": CANARY}]},
            "finishReason": "STOP",
            "groundingMetadata": {"webSearchQueries": [CANARY]},
        }
    ],
    "output": [{"type": "web_search_call", "action": {"type": "search", "query": CANARY}}],
    "content": [{"type": "text", "text": CANARY}],
    "data": [{"b64_json": CANARY, "revised_prompt": CANARY}],
    "images": [CANARY],
    "text": CANARY,
    "transcript": CANARY,
    "prompt": CANARY,
    "instructions": CANARY,
    "metadata": {"note": CANARY, "usage": deepcopy(COUNTS), "metrics": {"latencyMs": 5}},
    "predictions": [{"embeddings": {"statistics": {"token_count": 3}}, "bytesBase64Encoded": CANARY}],
    "error": {"code": "e", "type": "e", "message": CANARY},
    "headers": {"x-amzn-bedrock-input-token-count": "4", "x-amzn-requestid": "r", "x-note": CANARY},
    "ResponseMetadata": {"RequestId": "r", "HTTPHeaders": {"x-amzn-bedrock-output-token-count": "4"}},
    "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "firstByteLatency": 5},
    "tool_usage": {"image_gen": {"input_tokens": 1, "output_tokens": 2}},
    "tools": [{"type": "image_generation", "model": "i"}],
    "svg_usage": {"model": "s", "input_tokens": 1, "output_tokens": 2},
    "serverContent": {"modelTurn": {"parts": [{"text": CANARY}]}, "turnComplete": True},
    "delta": {"stop_reason": "end_turn", "text": CANARY, "usage": deepcopy(COUNTS)},
    "session": {"model": "m", "instructions": CANARY},
    "usage": COUNTS,
    "meta": deepcopy(COUNTS),
    "usageMetadata": {
        "promptTokenCount": 9,
        "candidatesTokenCount": 8,
        "cachedContentTokenCount": 2,
        "promptTokensDetails": [
            {"modality": "IMAGE", "tokenCount": 1},
            {"modality": "VIDEO", "tokenCount": 1},
        ],
        "cacheTokensDetails": [{"modality": "IMAGE", "tokenCount": 1}],
        "trafficType": "ON_DEMAND",
    },
}
WHOLE["response"] = {"body": deepcopy(WHOLE), **deepcopy(WHOLE)}
WHOLE["interaction"] = deepcopy(WHOLE["response"]["body"])
WHOLE["message"] = deepcopy(WHOLE["response"]["body"])
WHOLE["result"] = {"type": "succeeded", "message": deepcopy(WHOLE["response"]["body"])}
WHOLE["body"] = deepcopy(WHOLE["response"]["body"])

TYPES = (
    "message",
    "message_start",
    "message_delta",
    "message_stop",
    "message-end",
    "message-start",
    "response.created",
    "response.completed",
    "response.done",
    "conversation.item.input_audio_transcription.completed",
    "image_generation.completed",
    "transcript.text.done",
    "speech.audio.done",
    "error",
)

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=5)
    | st.sampled_from(
        [Decimal("1E+999999999"), Decimal("1E-999999999"), 10**400, float("inf"), -1, "\ud800", "\0"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def paths_of(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*before, key)
        if len(before) < 4:
            yield from paths_of(item, (*before, key))


PATHS = list(paths_of(WHOLE))
CHANGES = st.lists(st.tuples(st.sampled_from(PATHS), JSON_VALUES), max_size=4)
READERS = [(vendor, surface) for vendor in vendors() for surface in (None, *surfaces(vendor))]
STREAMS = [(vendor, surface) for vendor in vendors() for surface in (None, *streams_of(vendor))]
SPARSE = st.sets(st.sampled_from(sorted(WHOLE)), min_size=1, max_size=6)


def changed(changes: list[tuple[tuple[Any, ...], Any]], keys: set[str] | None = None) -> dict[str, Any]:
    body = deepcopy({key: WHOLE[key] for key in keys} if keys else WHOLE)
    for path, value in changes:
        parent: Any = body
        for key in path[:-1]:
            try:
                parent = parent[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            place = path[-1]
            fits = type(place) is int and isinstance(parent, list) and len(parent) > place
            if isinstance(parent, dict) or fits:
                parent[place] = value
    return body


def said(events: tuple[UsageEvent, ...]) -> str:
    return "".join(event.model_dump_json() for event in events)


@given(st.sampled_from(READERS), CHANGES, st.none() | SPARSE, st.sampled_from(TYPES))
def test_any_answer_is_read_or_refused(
    reader: tuple[str, str | None],
    changes: list[tuple[tuple[Any, ...], Any]],
    keys: set[str] | None,
    kind: str,
) -> None:
    body = {**changed(changes, keys), "type": kind}
    guess_vendor(body)
    vendor, surface = reader
    try:
        words = said(read_calls(vendor, body, surface=surface, context=CONTEXT))
    except RejectedInput as refused:
        words = f"{refused} {refused.reason} {refused.field}"
    assert words
    assert CANARY not in words


@given(
    st.sampled_from(STREAMS),
    st.lists(st.tuples(CHANGES, SPARSE, st.sampled_from(TYPES)), min_size=1, max_size=3),
)
def test_any_stream_is_read_or_refused(
    named: tuple[str, str | None], parts: list[tuple[list[tuple[tuple[Any, ...], Any]], set[str], str]]
) -> None:
    chunks = [{**changed(changes, keys), "type": kind} for changes, keys, kind in parts]
    vendor, surface = named
    try:
        events = read_stream(vendor, chunks, surface=surface, context=CONTEXT)
    except RejectedInput as refused:
        words = f"{refused} {refused.reason} {refused.field}"
    else:
        words = said(events)
        assert len({event.id for event in events}) == len(events) or any("id" in chunk for chunk in chunks)
    assert CANARY not in words


@given(st.lists(CHANGES.map(changed) | JSON_VALUES, max_size=3), st.sampled_from(["openai", "aws", "google"]))
def test_any_signs_of_a_surface_or_a_stream_never_raise(bodies: list[Any], vendor: str) -> None:
    for body in bodies:
        if isinstance(body, dict):
            for streamed in streams_of(vendor).values():
                assert streamed.looks_like(Answer(body)) in (True, False)


@pytest.mark.parametrize(
    "number", ["1e999999999", "1e-999999999", "-1e999999999", "1" * 4000, "0." + "1" * 4000]
)
@pytest.mark.parametrize("field", ["prompt_tokens", "seconds"])
def test_numbers_made_to_be_expensive_are_refused_or_read_at_once(number: str, field: str) -> None:
    text = f'{{"model":"m","created":{number},"usage":{{"{field}":{number},"completion_tokens":1}}}}'
    body = json.loads(text, parse_float=Decimal)
    with pytest.raises(RejectedInput):
        read_calls("openai", body, context=CONTEXT)


@pytest.mark.parametrize("vendor", ["openai", "azure", "anthropic", "google", "aws", "cohere"])
@pytest.mark.parametrize(
    "line",
    [
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 100_000,
        b"[[],[{}]]",
        b"[1,2]",
        b'{"model":"' + CANARY.encode() + b'\xff"}',
        b'{"model":"' + CANARY.encode() + b'\\u0000","usage":{"prompt_tokens":1,"completion_tokens":1}}',
        b'{"events_with_usage":[]}',
        b'{"events_with_usage":[{"usage":{"input_tokens":"' + CANARY.encode() + b'"}}]}',
        b"data: {" + CANARY.encode(),
        b"data: [" + CANARY.encode(),
        b'"' + CANARY.encode() + b'"',
    ],
    ids=lambda line: line[:12].decode(errors="replace") if isinstance(line, bytes) else line,
)
def test_a_hostile_line_costs_itself_alone(vendor: str, line: bytes) -> None:
    good = json.dumps({"model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 2}}).encode()
    if vendor == "aws" or vendor == "cohere":
        good = json.dumps({**json.loads(good), "choices": []}).encode()
    made = list(parse_answers([line, good], vendor, now=NOW))
    assert made[-1]["output_tokens"] == 2
    assert all("error" in other for other in made[:-1])
    assert CANARY not in json.dumps(made).replace(json.dumps(CANARY), "")
