"""Whatever an answer holds, a reader gives an event or a typed refusal, and never a prompt."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.vendors import AnswerContext, guess_vendor, read_calls, surfaces, vendors
from tokenweir.errors import RejectedInput

CONTEXT = AnswerContext(source="test", now=datetime(2026, 3, 1, tzinfo=UTC))
CANARY = "the quick brown canary"

WHOLE: dict[str, Any] = {
    "id": "x1",
    "custom_id": "c",
    "type": "message",
    "model": "m",
    "modelVersion": "m",
    "created": 1_770_000_000,
    "created_at": 1_770_000_000,
    "createTime": "2026-01-01T00:00:00Z",
    "service_tier": "default",
    "status": "completed",
    "choices": [{"finish_reason": "stop", "message": {"content": CANARY}}],
    "candidates": [{"finishReason": "STOP", "groundingMetadata": {"webSearchQueries": [CANARY]}}],
    "output": [{"type": "web_search_call", "action": {"type": "search", "query": CANARY}}],
    "content": [{"type": "text", "text": CANARY}],
    "error": {"code": "e", "message": CANARY},
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 8,
        "input_tokens": 9,
        "output_tokens": 8,
        "total_input_tokens": 9,
        "total_output_tokens": 8,
        "seconds": 1.5,
        "type": "duration",
        "prompt_tokens_details": {"cached_tokens": 1},
        "input_tokens_details": {"cached_tokens": 1},
        "output_tokens_details": {"reasoning_tokens": 1},
        "cache_creation": {"ephemeral_1h_input_tokens": 1},
        "iterations": [{"type": "compaction", "input_tokens": 1}],
        "server_tool_use": {"web_search_requests": 1},
        "service_tier": "standard",
    },
    "usageMetadata": {
        "promptTokenCount": 9,
        "candidatesTokenCount": 8,
        "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 1}],
        "trafficType": "ON_DEMAND",
    },
}
WHOLE["response"] = {"body": deepcopy(WHOLE), **deepcopy(WHOLE)}
WHOLE["result"] = {"type": "succeeded", "message": deepcopy(WHOLE["response"]["body"])}

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


def paths_of(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in items for path in ((*before, key), *paths_of(item, (*before, key)))]


PATHS = paths_of(WHOLE)
READERS = [(vendor, surface) for vendor in vendors() for surface in (None, *surfaces(vendor))]


@given(st.sampled_from(READERS), st.lists(st.tuples(st.sampled_from(PATHS), JSON_VALUES), max_size=4))
def test_any_answer_is_read_or_refused(
    reader: tuple[str, str | None], changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    body = deepcopy(WHOLE)
    for path, value in changes:
        parent: Any = body
        for key in path[:-1]:
            try:
                parent = parent[key]
            except (KeyError, IndexError, TypeError):
                break
        else:
            in_list = isinstance(parent, list) and isinstance(path[-1], int) and len(parent) > path[-1]
            if isinstance(parent, dict) or in_list:
                parent[path[-1]] = value
    guess_vendor(body)
    vendor, surface = reader
    said = ""
    try:
        events = read_calls(vendor, body, surface=surface, context=CONTEXT)
        said = "".join(event.model_dump_json() for event in events)
    except RejectedInput as refused:
        said = f"{refused} {refused.reason} {refused.field}"
    assert said
    assert CANARY not in said


@pytest.mark.parametrize(
    "number", ["1e999999999", "1e-999999999", "-1e999999999", "1" * 4000, "0." + "1" * 4000]
)
@pytest.mark.parametrize("field", ["prompt_tokens", "seconds"])
def test_numbers_made_to_be_expensive_are_refused_or_read_at_once(number: str, field: str) -> None:
    text = f'{{"model":"m","created":{number},"usage":{{"{field}":{number},"completion_tokens":1}}}}'
    body = json.loads(text, parse_float=Decimal)
    with pytest.raises(RejectedInput):
        read_calls("openai", body, context=CONTEXT)
