"""iFlytek's answers over WebSocket and HTTP, after its Java SDK's documentation."""

from typing import Any

import pytest

from tests.vendors.china import CANARY, counted, found, merged, read
from tokenweir.errors import RejectedInput

USAGE = {"question_tokens": 4, "prompt_tokens": 35, "completion_tokens": 9, "total_tokens": 44}
COUNTS = {"input_tokens": 35, "output_tokens": 9}


def frame(status: int, usage: dict[str, Any] | None = None, code: int = 0) -> dict[str, Any]:
    payload: dict[str, Any] = {"choices": {"status": status, "seq": 0, "text": [{"content": CANARY}]}}
    if usage is not None:
        payload["usage"] = {"text": usage}
    return {
        "header": {"code": code, "message": CANARY, "sid": "cht1@dx9", "status": status},
        "payload": payload,
    }


def test_question_tokens_are_a_part_of_the_prompt_and_not_added() -> None:
    event = read("iflytek", frame(2, USAGE))
    assert (event.id, event.model, counted(event)) == ("iflytek:cht1@dx9", "unknown", COUNTS)


@pytest.mark.parametrize(
    "body", [{"usage": {"text": USAGE}}, {"usage": USAGE}, {"payload": {"usage": {"text": USAGE}}}]
)
@pytest.mark.parametrize("surface", [None, "websocket"])
def test_a_websocket_answer_is_known_by_its_usage_alone(body: dict[str, Any], surface: str | None) -> None:
    assert found("iflytek", body) == "websocket"
    assert counted(read("iflytek", body, surface)) == COUNTS


def test_only_the_frame_of_status_2_states_usage() -> None:
    event = merged("iflytek", [frame(0), frame(1), frame(2, USAGE)])
    assert (event.id, event.status, counted(event)) == ("iflytek:cht1@dx9", "ok", COUNTS)
    cut_off = merged("iflytek", [frame(0), frame(1)])
    assert (cut_off.status, cut_off.error_code, counted(cut_off)) == ("cancelled", "usage_not_stated", {})
    with pytest.raises(RejectedInput) as caught:
        read("iflytek", frame(1))
    assert caught.value.field == "payload.usage.text"


def test_http_states_its_usage_on_the_last_chunk_with_content() -> None:
    chunk = {"code": 0, "message": "Success", "sid": "cha1@dx5", "id": "cha1@dx5", "choices": [{"delta": {}}]}
    last = {**chunk, "usage": {"prompt_tokens": 1, "completion_tokens": 418, "total_tokens": 419}}
    assert found("iflytek", last) == "chat_completions"
    for event in (read("iflytek", last, "http"), merged("iflytek", [chunk, chunk, last])):
        assert (event.id, counted(event)) == ("iflytek:cha1@dx5", {"input_tokens": 1, "output_tokens": 418})


@pytest.mark.parametrize(
    "body",
    [
        {"code": 10_013, "message": CANARY, "sid": "x"},
        {"error": {"message": CANARY, "type": "api_error", "code": "11200"}},
        {"header": {"code": 10_005, "message": CANARY, "sid": "x", "status": 2}},
    ],
)
def test_a_call_that_failed_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(RejectedInput) as caught:
        read("iflytek", body)
    assert caught.value.reason == "missing_field"
    assert "usage" in caught.value.field
    assert CANARY not in str(caught.value)


def test_a_failure_after_a_part_of_the_answer_keeps_its_counts() -> None:
    event = read("iflytek", frame(2, USAGE, code=10_019))
    assert (event.status, event.error_code, event.output_tokens) == ("error", "10019", 9)
