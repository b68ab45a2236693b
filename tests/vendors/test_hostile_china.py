"""Whatever a Chinese vendor's answer or stream holds, it is read or refused by field, and quotes nothing of it."""

import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.vendors import guess_vendor, read_calls, read_stream, surfaces
from tests.vendors.china import CANARY, CONTEXT
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.usage.event import UsageEvent

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 8,
    "total_tokens": 17,
    "cached_tokens": 3,
    "search_count": 1,
}
CHOICES = [{"finish_reason": "stop", "delta": {"content": CANARY}, "usage": USAGE}]
NATIVE = {
    "input_tokens": 90,
    "output_tokens": 20,
    "image_tokens": 10,
    "image_count": 1,
    "video_count": 1,
    "duration": 5,
    "characters": 7,
    "width": 1024,
    "height": 1024,
    "SR": 720,
    "plugins": {"search": {"count": 1}},
    "x_tools": {"web_search": {"count": 1}},
    "x_details": [{"plugins": {"web_search": {"count": 1}}, "prompt_tokens_details": {"cached_tokens": 1}}],
    "prompt_tokens_details": {"cache_creation": {"ephemeral_1h_input_tokens": 1}, "cache_type": "ephemeral"},
}
OUTPUT = {
    "task_id": "t",
    "task_status": "FAILED",
    "end_time": "2026-02-02 10:00:00",
    "choices": CHOICES,
    "results": [{"relevance_score": 1}],
}
WHOLE: dict[str, dict[str, Any]] = {
    "alibaba": {
        "model": "qwen",
        "request_id": "r",
        "header": {"task_id": "w"},
        "payload": {"usage": NATIVE, "output": OUTPUT},
        "output": OUTPUT,
        "usage": {**NATIVE, "models": [{"model_id": "a", "input_tokens": 1}]},
    },
    "baidu": {
        "id": "x",
        "result": CANARY,
        "is_end": True,
        "need_clear_history": False,
        "usage": USAGE,
        "data": [],
    },
    "coze": {
        "event": "conversation.chat.completed",
        "data": {
            "id": "c",
            "bot_id": "b",
            "status": "failed",
            "last_error": {"code": 1, "msg": CANARY},
            "completed_at": 1_770_000_000,
            "usage": {"token_count": 9, "input_count": 5, "output_count": 4},
        },
        "debug_url": CANARY,
        "error_code": 0,
    },
    "iflytek": {
        "header": {"code": 0, "sid": "s", "status": 2},
        "payload": {"usage": {"text": USAGE}, "choices": {"text": [{"content": CANARY}]}},
        "usage": USAGE,
    },
    "minimax": {
        "id": "m",
        "choices": CHOICES,
        "base_resp": {"status_code": 1002, "status_msg": CANARY},
        "extra_info": {"usage_characters": 4},
        "metadata": {"success_count": "3"},
        "usage": {"total_tokens": 5},
    },
    "tencent": {
        "Response": {
            "Id": "i",
            "Created": 1_770_000_000,
            "Choices": [{"FinishReason": "stop"}],
            "ErrorMsg": {"Code": "LimitExceeded", "Msg": CANARY},
            "Usage": {"PromptTokens": 9, "PromptTokensDetails": {"CachedTokens": "3"}, "CompletionTokens": 2},
        },
        "usage": USAGE,
    },
    "volcengine": {
        "id": "v",
        "model": "doubao",
        "status": "succeeded",
        "duration": 5,
        "ttl": 60,
        "data": [{"size": "1024x1024"}],
        "choices": CHOICES,
        "service_tier": "default",
        "bot_usage": {
            "model_usage": [{"name": "a", "prompt_tokens": 1}, {"name": "b", "completion_tokens": 1}],
            "action_usage": [{"search_count": 1}],
        },
        "usage": {**USAGE, "generated_images": 1, "input_tokens": 2, "tool_usage": {"web_search": 1}},
    },
    "zhipu": {"id": "z", "choices": CHOICES, "web_search": [{"title": CANARY}], "usage": USAGE},
    "moonshot": {"id": "k", "choices": CHOICES},
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(
        [CANARY, Decimal("1E+999999999"), 10**400, -(10**400), float("nan"), "9" * 400, "\ud800", "\0"]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def paths_of(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in items for path in ((*before, key), *paths_of(item, (*before, key)))]


PATHS = [(vendor, path) for vendor, whole in WHOLE.items() for path in paths_of(whole)]


def changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    body = deepcopy(body)
    parent: Any = body
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return body


def said_of(act: Callable[[], Iterable[UsageEvent]]) -> str:
    """Everything that an answer's reader says; a refusal names a field."""
    try:
        return "".join(event.model_dump_json() for event in act())
    except RejectedInput as error:
        refused = error
    assert refused.field or refused.reason == "subset_exceeds_total"
    return f"{refused} {refused.reason} {refused.field}"


@given(st.sampled_from(PATHS), VALUES, st.data())
def test_any_answer_is_read_or_refused_by_field(
    where: tuple[str, Any], value: Any, data: st.DataObject
) -> None:
    vendor, path = where
    body = changed(WHOLE[vendor], path, value)
    guess_vendor(body)
    surface = data.draw(st.sampled_from([None, *surfaces(vendor)]))
    said = said_of(lambda: read_calls(vendor, body, surface=surface, context=CONTEXT))
    # A name of a model, a bot or a call is whatever the vendor says; no other text of an answer is taken.
    if path[-1] not in {"id", "Id", "model", "model_id", "name", "bot_id", "sid", "task_id", "request_id"}:
        assert CANARY not in said


@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=3))
def test_any_stream_is_read_or_refused_by_field(changes: list[tuple[tuple[str, Any], Any]]) -> None:
    vendor = changes[0][0][0]
    chunks = [changed(WHOLE[other], path, value) for (other, path), value in changes]
    said_of(lambda: read_stream(vendor, chunks, context=CONTEXT))


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "1" * 4000])
@pytest.mark.parametrize(
    ("vendor", "text"),
    [
        ("tencent", '{"Usage":{"PromptTokens":%s}}'),
        ("coze", '{"data":{"usage":{"token_count":%s}}}'),
        ("alibaba", '{"usage":{"image_count":%s}}'),
        ("alibaba", '{"usage":{"video_count":1,"duration":%s}}'),
        ("volcengine", '{"usage":{"completion_tokens":1},"duration":%s}'),
        ("minimax", '{"extra_info":{"usage_characters":%s}}'),
        ("iflytek", '{"payload":{"usage":{"text":{"prompt_tokens":%s}}}}'),
    ],
)
def test_numbers_made_to_be_expensive_are_refused(vendor: str, text: str, number: str) -> None:
    body = json.loads(text % number, parse_float=Decimal)
    with pytest.raises(RejectedInput):
        read_calls(vendor, body, context=CONTEXT)


def test_a_surface_that_a_vendor_does_not_have_is_a_wrong_call() -> None:
    with pytest.raises(WrongCall):
        read_calls("coze", WHOLE["coze"], surface="native_api3", context=CONTEXT)
