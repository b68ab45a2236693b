"""What `weir parse` takes beside whole answers: chunks, single events, server-sent events, records; in what order."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.files import parse_answers
from producers.files.server_sent import MAX_ANSWER_BYTES, ServerSentAnswers, is_event_line
from tokenweir.errors import WrongCall

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CANARY = "the quick brown canary"


def parsed(lines: Iterable[Any], vendor: str, surface: str | None = None) -> list[dict[str, Any]]:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    made = list(parse_answers(raw, vendor, surface, now=NOW, inner_calls=True))
    assert CANARY not in json.dumps(made)
    return made


def outputs(made: Iterable[dict[str, Any]]) -> list[Any]:
    return [event.get("output_tokens", event.get("reason")) for event in made]


def chat(response_id: str, *, said: str = "", output: int = 0, reason: str | None = None) -> dict[str, Any]:
    choices = [{"delta": {"content": said}, "finish_reason": reason}] if said or reason else []
    usage = {"prompt_tokens": 3, "completion_tokens": output} if output else None
    return {
        "id": response_id,
        "object": "chat.completion.chunk",
        "model": "gpt-5",
        "choices": choices,
        "usage": usage,
    }


def started(response_id: str) -> dict[str, Any]:
    message = {"id": response_id, "model": "claude-x", "usage": {"input_tokens": 5, "output_tokens": 1}}
    return {"type": "message_start", "message": message}


ENDED = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}}
STOPPED = {"type": "message_stop"}
STREAM = [chat("a", said=CANARY), chat("a", reason="stop"), chat("a", output=7)]


def sent(chunks: Iterable[Any], *, done: bool = False) -> list[bytes]:
    """The lines of server-sent events."""
    lines = [line for chunk in chunks for line in (b"data: " + json.dumps(chunk).encode() + b"\n", b"\n")]
    return [*lines, b"data: [DONE]\n", b"\n"] if done else lines


class TestOneLine:
    def test_an_array_of_chunks_is_one_answer(self) -> None:
        (event,) = parsed([STREAM], "openai")
        assert (event["id"], event["output_tokens"], event["streaming"]) == ("openai:a", 7, True)

    @pytest.mark.parametrize("name", ["events_with_usage", "chunks"])
    def test_so_is_an_object_that_holds_them(self, name: str) -> None:
        (event,) = parsed([{name: STREAM, "n_events": 9}], "openai", "chat_completions_stream")
        assert event["output_tokens"] == 7

    def test_an_array_that_breaks_off_is_marked(self) -> None:
        (event,) = parsed([[chat("a", said=CANARY)]], "openai")
        assert (event["status"], event["error_code"]) == ("cancelled", "usage_not_stated")

    def test_an_array_of_whole_answers_is_as_many_calls(self) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": 2}
        whole = [{"id": name, "model": "m", "choices": [], "usage": usage} for name in ("x", "y")]
        assert [event["id"] for event in parsed([whole], "openai")] == ["openai:x", "openai:y"]

    def test_an_array_of_one_whole_answer_is_that_answer(self) -> None:
        (event,) = parsed([[{"usage": {"inputTokens": 1, "outputTokens": 2}}]], "aws")
        assert event["output_tokens"] == 2

    def test_lines_out_stand_beside_lines_in_and_inner_calls_after_them(self) -> None:
        step = {"type": "advisor_message", "model": "claude-o", "input_tokens": 1, "output_tokens": 99}
        advised = {
            "model": "claude-x",
            "usage": {"input_tokens": 5, "output_tokens": 6, "iterations": [step]},
        }
        plain = {"model": "claude-x", "usage": {"input_tokens": 5, "output_tokens": 7}}
        assert outputs(parsed([advised, b"{oops", plain], "anthropic")) == [6, "invalid_json", 7, 99]

    def test_a_record_of_a_cloud_is_read_as_ingest_reads_it(self) -> None:
        log = {
            "schemaType": "ModelInvocationLog",
            "requestId": "r1",
            "modelId": "anthropic.claude-x",
            "timestamp": "2026-01-15T12:00:00Z",
            "input": {"inputTokenCount": 15, "inputBodyJson": {"prompt": CANARY}},
            "output": {"outputTokenCount": 5},
        }
        for surface in (None, "invocation_log"):
            (event,) = parsed([log], "aws_bedrock", surface)
            assert (event["id"], event["input_tokens"]) == ("aws:r1", 15)
        failed = {**log, "input": {}, "output": {}}
        assert parsed([failed], "aws", "invocation_log")[0]["field"] == "usage"


class TestServerSentEvents:
    def test_an_answer_ends_at_done(self) -> None:
        lines = [*sent(STREAM, done=True), *sent([chat("b", output=9)], done=True)]
        assert outputs(parsed(lines, "openai")) == [7, 9]

    def test_an_answer_ends_where_another_id_begins(self) -> None:
        lines = sent([*STREAM, chat("b", said=CANARY), chat("b", output=9)])
        made = parsed(lines, "openai")
        assert [(event["id"], event["output_tokens"]) for event in made] == [("openai:a", 7), ("openai:b", 9)]

    def test_an_answer_ends_where_a_new_one_starts(self) -> None:
        lines = sent([started("m1"), ENDED, STOPPED, started("m2"), ENDED, started("m3")])
        made = parsed(lines, "anthropic")
        assert [(event["id"], event.get("status", "ok")) for event in made] == [
            ("anthropic:m1", "ok"),
            ("anthropic:m2", "ok"),
            ("anthropic:m3", "cancelled"),
        ]

    def test_ends_without_starts_are_answers_each(self) -> None:
        end = {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 4}}}
        assert outputs(parsed(sent([end, end]), "aws")) == [4, 4]

    def test_all_that_is_no_data_is_left_out(self) -> None:
        lines = [
            b": comment\n",
            b"event: message_start\n",
            b"id: 7\n",
            b"retry: 10\n",
            b"data:" + json.dumps(started("m1")).encode() + b"\r\n",
            b"\r\n",
            b"data: \n",
            b"data: ping\n",
            b"event: message_delta\n",
            b"data: " + json.dumps(ENDED).encode(),
        ]
        assert outputs(parsed(lines, "anthropic")) == [15]

    def test_one_object_may_be_told_by_several_lines_of_data(self) -> None:
        lines = [b"data: " + part + b"\n" for part in json.dumps(ENDED, indent=1).encode().split(b"\n")]
        assert outputs(parsed(lines, "anthropic")) == [15]

    def test_broken_data_is_told_with_its_line_and_costs_itself_alone(self) -> None:
        lines = [*sent([started("m1")]), b'data: {"type": "' + CANARY.encode() + b"\n", b"\n", *sent([ENDED])]
        broken, event = parsed(lines, "anthropic")
        assert (broken["reason"], broken["line"]) == ("invalid_json", 2)
        assert event["output_tokens"] == 15

    def test_json_lines_between_end_an_answer(self) -> None:
        plain = {"model": "claude-x", "usage": {"input_tokens": 5, "output_tokens": 7}}
        assert outputs(parsed([*sent([started("m1"), ENDED]), plain], "anthropic")) == [15, 7]

    def test_an_endless_answer_is_cut_at_its_limit(self) -> None:
        held = ServerSentAnswers()
        line = b'data: {"type":"content_block_delta","delta":"' + b"x" * (1024 * 1024) + b'"}'
        (refused,) = [
            answer
            for number in range(MAX_ANSWER_BYTES // len(line) + 2)
            for answer in held.feed(number, line)
        ]
        assert refused.problem is not None
        assert refused.problem.reason == "too_large"

    @given(
        st.lists(st.sampled_from([chat("a", output=1), chat("b", output=2), started("m"), ENDED]), max_size=8)
    )
    def test_no_chunk_is_lost_and_none_is_doubled(self, chunks: list[dict[str, Any]]) -> None:
        held = ServerSentAnswers()
        given_out = [
            chunk
            for number, line in enumerate([*sent(chunks), b"data: [DONE]"])
            if line.strip() and is_event_line(line)
            for answer in held.feed(number, line)
            for chunk in answer.chunks
        ]
        assert given_out == chunks


def test_a_wrong_surface_is_a_wrong_call_at_once() -> None:
    with pytest.raises(WrongCall):
        parse_answers([], "openai", "mesages", now=NOW)
