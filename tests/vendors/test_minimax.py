"""MiniMax's answers, and its errors, which come with HTTP 200."""

from typing import Any

import pytest

from producers.vendors import guess_vendor
from tests.vendors.china import CANARY, counted, found, merged, read
from tokenweir.errors import RejectedInput

FINE = {"status_code": 0, "status_msg": ""}
USAGE = {
    "total_tokens": 885,
    "total_characters": 0,
    "prompt_tokens": 769,
    "completion_tokens": 116,
    "completion_tokens_details": {"reasoning_tokens": 37},
    "prompt_tokens_details": {"cached_tokens": 443},
}
COUNTS = {"input_tokens": 769, "cache_read_tokens": 443, "output_tokens": 116, "reasoning_tokens": 37}


def test_the_openai_shape_has_its_cache_inside() -> None:
    body = {"id": "0700", "model": "MiniMax-M2", "usage": USAGE, "base_resp": FINE}
    for surface in (None, "chat", "openai_compat"):
        event = read("minimax", body, surface)
        assert (event.id, counted(event)) == ("minimax:0700", COUNTS)
    assert guess_vendor(body) == "minimax"


def test_the_anthropic_shape_has_its_cache_outside() -> None:
    usage = {
        "input_tokens": 100,
        "cache_read_input_tokens": 40,
        "cache_creation_input_tokens": 10,
        "output_tokens": 20,
    }
    for surface in (None, "messages", "anthropic_compat"):
        event = read("minimax", {"model": "MiniMax-M2", "usage": usage}, surface)
        assert counted(event) == {
            "input_tokens": 150,
            "cache_read_tokens": 40,
            "cache_write_tokens": 10,
            "output_tokens": 20,
        }


def test_a_streamed_message_takes_nothing_back() -> None:
    start = {
        "id": "m1",
        "type": "message",
        "model": "MiniMax-M2",
        "usage": {"input_tokens": 47, "output_tokens": 0},
    }
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": CANARY}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 12, "cache_read_input_tokens": 5},
        },
        {"type": "message_stop"},
    ]
    event = merged("minimax", events)
    assert (event.id, event.status) == ("minimax:m1", "ok")
    assert counted(event) == {"input_tokens": 52, "cache_read_tokens": 5, "output_tokens": 12}
    cut_off = merged("minimax", events[:2])
    assert (cut_off.status, counted(cut_off)) == ("cancelled", {"input_tokens": 47})


def test_the_pro_interface_states_the_total_alone() -> None:
    usages = ({"total_tokens": 187}, {"total_tokens": 187, "prompt_tokens": 0, "completion_tokens": 0})
    for usage in usages:
        for surface in (None, "pro", "chat"):
            event = read("minimax", {"model": "abab6.5s-chat", "usage": usage, "base_resp": FINE}, surface)
            assert event.input_tokens + event.output_tokens == 187
            assert event.tags == {"tokens_split": "unstated"}
    chunks = [
        {"choices": [{"delta": {"content": CANARY}}]},
        {"choices": [{"finish_reason": "stop"}], "usage": usages[0], "base_resp": FINE},
    ]
    assert counted(merged("minimax", chunks)) == {"input_tokens": 187}


@pytest.mark.parametrize("code", [1002, 1004, 1008, 1026, 2013])
@pytest.mark.parametrize("surface", [None, "chat", "pro", "speech", "messages"])
@pytest.mark.parametrize("usage", [None, {"total_tokens": 0}])
def test_an_error_with_http_200_is_no_billed_call(code: int, surface: str | None, usage: Any) -> None:
    body = {"id": "x", "model": "m", "usage": usage, "base_resp": {"status_code": code, "status_msg": CANARY}}
    with pytest.raises(RejectedInput) as caught:
        read("minimax", body, surface)
    assert (caught.value.reason, caught.value.field.partition(".")[0]) == ("missing_field", "usage")
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "status"), [(1002, "rate_limited"), (1026, "filtered"), (1000, "error"), (1001, "timeout")]
)
def test_an_error_after_a_part_of_the_answer_keeps_its_tokens(code: int, status: str) -> None:
    body = {"usage": USAGE, "base_resp": {"status_code": code, "status_msg": CANARY}}
    event = read("minimax", body)
    assert (event.status, event.error_code, counted(event)) == (status, str(code), COUNTS)


def test_speech_is_billed_by_characters() -> None:
    body = {
        "data": {"audio": "4944", "status": 2},
        "extra_info": {"audio_length": 3541, "usage_characters": 15, "word_count": 4},
        "trace_id": "trace-1",
        "base_resp": FINE,
    }
    event = read("minimax", body)
    assert (event.id, event.operation, counted(event)) == ("minimax:trace-1", "speech", {"characters": 15})
    assert counted(read("minimax", {"task_id": "t", "usage_characters": 101})) == {"characters": 101}
    assert counted(merged("minimax", [{"data": {"audio": "49", "status": 1}}, body])) == {"characters": 15}


@pytest.mark.parametrize("made", [3, "3"])
def test_pictures_are_counted_by_piece_though_the_count_is_a_string(made: Any) -> None:
    body = {
        "id": "i",
        "data": {},
        "metadata": {"success_count": made, "failed_count": "0"},
        "base_resp": FINE,
    }
    event = read("minimax", body)
    assert (event.operation, counted(event)) == ("image", {"images": 3})
    with pytest.raises(RejectedInput) as caught:
        read("minimax", {"metadata": {"success_count": CANARY}})
    assert caught.value.field == "metadata.success_count"


def test_embeddings_state_their_total_beside_the_vectors() -> None:
    body = {"vectors": [[0.1]], "total_tokens": 53, "base_resp": FINE}
    assert found("minimax", body) == "native_embeddings"
    assert (read("minimax", body).operation, counted(read("minimax", body))) == (
        "embedding",
        {"input_tokens": 53},
    )
