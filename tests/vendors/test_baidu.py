"""Qianfan's answers, of its first and its second interface."""

from typing import Any

import pytest

from producers.vendors import guess_vendor
from tests.vendors.china import CANARY, counted, found, merged, read
from tokenweir.errors import RejectedInput


def frame(completion_tokens: int, is_end: bool = False) -> dict[str, Any]:
    return {
        "id": "as-1",
        "object": "chat.completion",
        "created": 1_770_000_000,
        "sentence_id": 1,
        "is_end": is_end,
        "is_truncated": False,
        "result": CANARY,
        "need_clear_history": False,
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": completion_tokens,
            "total_tokens": 10 + completion_tokens,
        },
    }


def test_the_first_interface_names_no_model() -> None:
    body = {name: value for name, value in frame(72).items() if name not in ("is_end", "sentence_id")}
    for surface in (None, "v1_wenxinworkshop", "v1"):
        event = read("baidu", body, surface)
        assert (event.id, event.model) == ("baidu:as-1", "unknown")
        assert counted(event) == {"input_tokens": 10, "output_tokens": 72}
    assert found("baidu", body) == "v1_wenxinworkshop"
    assert guess_vendor(body) == "baidu"


def test_every_frame_of_the_first_interface_states_usage_and_the_last_one_counts() -> None:
    frames = [frame(0), frame(0), frame(72, is_end=True)]
    event = merged("baidu", frames)
    assert (event.status, counted(event)) == ("ok", {"input_tokens": 10, "output_tokens": 72})
    cut_off = merged("baidu", frames[:2], "v1_wenxinworkshop")
    assert (cut_off.status, counted(cut_off)) == ("cancelled", {"input_tokens": 10})


def test_the_last_chunk_of_the_second_interface_has_the_reason_and_the_usage() -> None:
    chunk: dict[str, Any] = {
        "id": "as-2",
        "model": "ernie-4.5",
        "choices": [{"delta": {"content": CANARY}, "flag": 0}],
    }
    last = {
        **chunk,
        "choices": [{"delta": {"content": ""}, "finish_reason": "stop", "flag": 0}],
        "usage": {"prompt_tokens": 13, "completion_tokens": 12, "total_tokens": 25},
    }
    for event in (merged("baidu", [chunk, last]), read("baidu", last, "v2_openai_compat")):
        assert (event.id, event.status) == ("baidu:as-2", "ok")
        assert counted(event) == {"input_tokens": 13, "output_tokens": 12}


def test_tokens_of_a_search_are_inside_the_prompt_and_tell_one_search() -> None:
    usage = {
        "prompt_tokens": 4149,
        "completion_tokens": 287,
        "total_tokens": 4436,
        "prompt_tokens_details": {"search_tokens": 4146},
    }
    for surface in (None, "v2_openai_compat"):
        event = read("baidu", {"usage": usage}, surface)
        assert counted(event) == {"input_tokens": 4149, "output_tokens": 287, "web_searches": 1}
    response = {"input_tokens": 50, "output_tokens": 3, "input_tokens_details": {"search_tokens": 40}}
    assert counted(read("baidu", {"usage": response})) == {
        "input_tokens": 50,
        "output_tokens": 3,
        "web_searches": 1,
    }
    none = {**usage, "prompt_tokens_details": {"search_tokens": 0}}
    assert read("baidu", {"usage": none}).units == {}


def test_tokens_of_plugins_are_inside_the_prompt() -> None:
    usage = {
        "prompt_tokens": 15_918,
        "completion_tokens": 109,
        "prompt_tokens_details": {"plugin_tokens": {"ChatFilePlus": 15_871}},
    }
    assert counted(read("baidu", {"usage": usage})) == {"input_tokens": 15_918, "output_tokens": 109}


@pytest.mark.parametrize("name", ["cached_tokens", "cache_tokens"])
def test_both_spellings_of_cached_tokens_are_read(name: str) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {name: 64}}
    assert read("baidu", {"usage": usage}).cache_read_tokens == 64


@pytest.mark.parametrize("surface", [None, "v1_wenxinworkshop", "v2_openai_compat"])
@pytest.mark.parametrize(
    "body",
    [
        {"error_code": 336_100, "error_msg": CANARY},
        {"error": {"code": "invalid_argument", "message": CANARY}, "id": "as-3"},
    ],
)
def test_an_error_with_http_200_is_no_billed_call(body: dict[str, Any], surface: str | None) -> None:
    with pytest.raises(RejectedInput) as caught:
        read("baidu", body, surface)
    assert (caught.value.reason, caught.value.field) == ("missing_field", "usage")
    assert CANARY not in str(caught.value)
