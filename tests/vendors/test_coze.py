"""Coze: chats that are asked for, chats that are streamed, and runs of workflows, after the types of cozepy."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from producers.vendors import guess_vendor
from tests.vendors.china import CANARY, counted, merged, read
from tokenweir.errors import RejectedInput

CHAT: dict[str, Any] = {
    "id": "738216760624714",
    "conversation_id": "738136585609548",
    "bot_id": "737946218936519",
    "created_at": 1_770_000_000,
    "completed_at": 1_770_000_007,
    "failed_at": None,
    "meta_data": {"question": CANARY},
    "last_error": None,
    "status": "completed",
    "required_action": None,
    "usage": {"token_count": 633, "output_count": 19, "input_count": 614},
}
COUNTS = {"input_tokens": 614, "output_tokens": 19}


@pytest.mark.parametrize(
    "body",
    [
        CHAT,
        {"code": 0, "msg": "", "data": CHAT},
        {"chat": CHAT, "messages": [{"role": "assistant", "content": CANARY}]},
        {"event": "conversation.chat.completed", "data": CHAT},
        {"event": "conversation.chat.completed", "data": json.dumps(CHAT)},
    ],
    ids=["object", "retrieved", "polled", "event", "event as text"],
)
@pytest.mark.parametrize("surface", [None, "v3_chat"])
def test_a_chat_is_read_however_it_is_wrapped(body: dict[str, Any], surface: str | None) -> None:
    if surface and "event" in body:
        surface = "v3_stream_event"
    event = read("coze", body, surface)
    assert counted(event) == COUNTS
    assert (event.id, event.model, event.status) == ("coze:738216760624714", "unknown", "ok")
    assert event.tags == {"bot_id": "737946218936519"}
    assert event.time == datetime.fromtimestamp(1_770_000_007, UTC)
    assert guess_vendor(body) == "coze"


def test_a_chat_without_its_object_is_read_from_its_usage() -> None:
    usage = {"usage": {"token_count": 30, "input_count": 20, "output_count": 10}}
    assert counted(read("coze", usage)) == {"input_tokens": 20, "output_tokens": 10}
    assert read("coze", {"model": "doubao-pro", **usage}).model == "doubao-pro"


def test_a_sum_without_its_parts_is_counted_and_marked() -> None:
    event = read("coze", {"data": {"id": "1", "status": "completed", "usage": {"token_count": 40}}})
    assert counted(event) == {"input_tokens": 40}
    assert event.tags == {"tokens_split": "unstated"}


def test_a_chat_that_is_asked_for_twice_is_one_call() -> None:
    assert read("coze", {"data": CHAT}).id == read("coze", {"data": CHAT}).id


@pytest.mark.parametrize("state", ["created", "in_progress"])
def test_a_chat_that_is_still_running_is_refused(state: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read("coze", {"data": {**CHAT, "status": state}})
    assert (caught.value.reason, caught.value.field) == ("missing_field", "data.usage")


def test_a_failed_chat_keeps_its_counts_and_its_code() -> None:
    failed = {**CHAT, "status": "failed", "last_error": {"code": 5000, "msg": CANARY}}
    event = read("coze", {"data": failed})
    assert (event.status, event.error_code, event.output_tokens) == ("error", "5000", 19)
    assert read("coze", {"data": {**CHAT, "status": "canceled"}}).status == "cancelled"


def test_a_stream_is_what_its_last_event_tells() -> None:
    running = {**CHAT, "status": "in_progress", "completed_at": None, "usage": None}
    event = merged(
        "coze",
        [
            {"event": "conversation.chat.created", "data": {**running, "status": "created"}},
            {"event": "conversation.chat.in_progress", "data": running},
            {"event": "conversation.message.delta", "data": {"id": "9", "content": CANARY}},
            {"event": "conversation.message.completed", "data": {"id": "9", "content": CANARY}},
            {"event": "conversation.chat.completed", "data": json.dumps(CHAT)},
            {"event": "done", "data": "[DONE]"},
        ],
    )
    assert (event.id, event.status, counted(event)) == ("coze:738216760624714", "ok", COUNTS)


def test_a_stream_that_was_cut_off_says_that_no_usage_is_known() -> None:
    running = {**CHAT, "status": "in_progress", "completed_at": None, "usage": None}
    events = [
        {"event": "conversation.chat.created", "data": {**running, "status": "created"}},
        {"event": "conversation.message.delta", "data": {"id": "9", "content": CANARY}},
    ]
    event = merged("coze", events)
    assert (event.id, event.status) == ("coze:738216760624714", "cancelled")
    assert (event.error_code, counted(event)) == ("usage_not_stated", {})
    assert event.tags == {"bot_id": "737946218936519"}
    begun = merged("coze", [{"event": "conversation.chat.created", "data": {"id": "7"}}])
    assert (begun.id, begun.status) == ("coze:7", "cancelled")
    bare = merged("coze", [running])
    assert (bare.id, bare.status, bare.error_code) == (event.id, "cancelled", "usage_not_stated")


def test_a_stream_of_bare_chat_objects_is_merged_too() -> None:
    assert counted(merged("coze", [{"id": "9", "content": CANARY}, CHAT])) == COUNTS


def test_a_run_of_a_workflow_is_read() -> None:
    run = {
        "code": 0,
        "data": json.dumps({"output": CANARY}),
        "debug_url": "https://www.coze.cn/work_flow?execute_id=7",
        "usage": {"token_count": 98, "input_count": 71, "output_count": 27},
    }
    event = read("coze", run)
    assert (event.operation, counted(event)) == ("workflow", {"input_tokens": 71, "output_tokens": 27})
    older = {"code": 0, "data": CANARY, "debug_url": "https://www.coze.cn/work_flow", "token": 98}
    assert counted(read("coze", older)) == {"input_tokens": 98}
    history = {
        "code": 0,
        "data": [
            {
                "execute_id": "743104097880585",
                "bot_id": "0",
                "update_time": 1_770_000_000,
                "error_code": "",
                "usage": run["usage"],
            }
        ],
    }
    past = read("coze", history)
    assert (past.id, past.tags, past.output_tokens) == ("coze:743104097880585", {}, 27)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": 4000, "msg": CANARY}, "usage"),
        ({"data": {**CHAT, "usage": {"token_count": CANARY}}}, "data.usage.token_count"),
        ({"data": {**CHAT, "usage": {"input_count": -1}}}, "data.usage.input_count"),
        ({"event": "conversation.chat.completed", "data": CANARY}, "data"),
        ({"event": "conversation.chat.completed", "data": "[" * 100_000}, "data"),
        ({"event": "conversation.chat.failed", "data": {"status": "failed"}}, "data.usage.token_count"),
        ({"data": [{}, {}]}, "data"),
    ],
)
def test_what_is_no_billed_chat_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read("coze", body)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)
