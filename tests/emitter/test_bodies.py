"""Answers in the types of the vendors' clients, and what is kept of a stream's chunks."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from anthropic.types import Message, RawMessageDeltaEvent, RawMessageStartEvent
from google.genai.types import GenerateContentResponse
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from producers.emitter.bodies import as_mapping
from producers.emitter.chunks import MAX_FIRST, MAX_LAST, KeptChunks, skeleton
from tokenweir.errors import RejectedInput

CANARY = "canary sings of secrets"
COMPLETION = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "created": 1_767_225_600,
    "model": "gpt-4o-2024-11-20",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": CANARY}}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
}


@dataclass
class _OfItsOwn:
    usage: dict[str, int]


class _WithToDict:
    def to_dict(self) -> dict[str, Any]:
        return {"usage": {"prompt_tokens": 1}}


def test_clients_objects_are_what_the_vendor_sent() -> None:
    for body in (COMPLETION, json.dumps(COMPLETION), json.dumps(COMPLETION).encode()):
        assert as_mapping(body) == COMPLETION
    completion = as_mapping(ChatCompletion.model_validate(COMPLETION))
    assert {name: completion[name] for name in COMPLETION if name != "choices"} == {
        name: value for name, value in COMPLETION.items() if name != "choices"
    }
    gemini = as_mapping(
        GenerateContentResponse.model_validate(
            {"responseId": "r-1", "usageMetadata": {"promptTokenCount": 4, "thoughtsTokenCount": 2}}
        )
    )
    assert gemini["responseId"] == "r-1"
    assert gemini["usageMetadata"] == {"promptTokenCount": 4, "thoughtsTokenCount": 2}
    assert as_mapping(_OfItsOwn({"prompt_tokens": 1})) == {"usage": {"prompt_tokens": 1}}
    assert as_mapping(_WithToDict()) == {"usage": {"prompt_tokens": 1}}
    assert as_mapping('{"cost": 0.1}') == {"cost": Decimal("0.1")}


def test_protocol_buffers_are_read_under_their_json_names() -> None:
    from google.protobuf.struct_pb2 import Struct

    message = Struct()
    message.update({"usage": {"prompt_tokens": 3}})
    assert as_mapping(message) == {"usage": {"prompt_tokens": 3}}


def test_a_client_that_met_something_new_does_not_warn() -> None:
    strange = ChatCompletion.model_construct(**{**COMPLETION, "choices": "not a list"})  # type: ignore[arg-type]
    assert as_mapping(strange)["usage"] == COMPLETION["usage"]


class _Hostile:
    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)


class _Endless(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")


def test_what_is_no_object_is_refused_without_a_word_of_it() -> None:
    for body in (7, None, [], "[]", "{", b"\xff", object(), _Hostile(), dict, CANARY, [CANARY]):
        with pytest.raises(RejectedInput) as refused:
            as_mapping(body)
        assert CANARY not in str(refused.value)


def _text_chunk(number: int) -> dict[str, Any]:
    return {
        "id": "chatcmpl-7",
        "object": "chat.completion.chunk",
        "created": 1_767_225_600,
        "model": "gpt-4o",
        "choices": [{"index": 0, "delta": {"content": f"{CANARY} {number}"}, "finish_reason": None}],
        "usage": None,
    }


def test_of_a_stream_of_text_the_first_and_what_states_usage_are_kept() -> None:
    totals = {"prompt_tokens": 3, "completion_tokens": 900, "total_tokens": 903}
    last = {**_text_chunk(0), "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {**_text_chunk(0), "choices": [], "usage": {**totals}}
    for convert in (dict, ChatCompletionChunk.model_validate):
        kept = KeptChunks()
        for chunk in [*map(_text_chunk, range(1_000)), last, usage]:
            kept.add(convert(chunk))  # type: ignore[operator]
        assert len(kept.chunks) == 3
        assert kept.chunks[1]["choices"][0]["finish_reason"] == "stop"
        assert kept.chunks[2]["usage"] == totals
        assert CANARY not in json.dumps(kept.chunks)


def test_an_anthropic_stream_keeps_its_start_and_its_end() -> None:
    start = RawMessageStartEvent(
        type="message_start",
        message=Message.model_validate(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-sonnet-4-5",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 9, "output_tokens": 1},
            }
        ),
    )
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": CANARY}}
    end = RawMessageDeltaEvent.model_validate(
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 500},
        }
    )
    kept = KeptChunks()
    for chunk in [start, *[text] * 500, end, {"type": "message_stop"}]:
        kept.add(chunk)
    assert [chunk["type"] for chunk in kept.chunks] == ["message_start", "message_delta", "message_stop"]
    assert kept.chunks[0]["message"]["usage"]["input_tokens"] == 9
    assert kept.chunks[1]["usage"]["output_tokens"] == 500


def test_running_totals_are_kept_within_a_bound_the_last_ones_surely() -> None:
    kept = KeptChunks()
    for number in range(10_000):
        kept.add({"usageMetadata": {"candidatesTokenCount": number}, "modelVersion": "gemini-2.5-pro"})
    assert len(kept.chunks) == MAX_FIRST + MAX_LAST
    assert kept.chunks[-1]["usageMetadata"] == {"candidatesTokenCount": 9_999}


def test_chunks_that_cannot_be_read_cost_themselves() -> None:
    kept = KeptChunks()
    for chunk in (_Hostile(), _Endless(a=1), 7, "{", _text_chunk(1), {"usage": {"prompt_tokens": 1}}):
        kept.add(chunk)
    assert [chunk.get("usage") for chunk in kept.chunks] == [None, {"prompt_tokens": 1}]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=20) | st.sampled_from(["content", "text", "delta", "parts"]), _JSON))
def test_a_skeleton_has_the_shape_of_its_chunk_and_none_of_its_text(chunk: dict[str, Any]) -> None:
    kept, _ = skeleton({**chunk, "content": [{"text": CANARY, "parts": [CANARY, {"more": CANARY}]}]})
    assert CANARY not in json.dumps(kept)
    (content,) = kept["content"]
    assert (content["text"], content["parts"][1]) == ("", {"more": ""})
    assert kept.keys() - {"content"} <= {name for name, value in chunk.items() if value is not None}
