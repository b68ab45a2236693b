"""Coding agents' local sessions: lines that repeat, counters that add up, histories that are copied."""

from typing import Any

from producers import records
from tests.records.reading import CANARY, counted_once, counts, read


def claude_line(message_id: str, output: int, **changes: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 10,
        "cache_creation": {"ephemeral_1h_input_tokens": 20, "ephemeral_5m_input_tokens": 10},
        "output_tokens": output,
    }
    return {
        "type": "assistant",
        "uuid": "u",
        "sessionId": "s-1",
        "timestamp": "2026-10-01T10:00:00.000Z",
        "requestId": "req-1",
        "cwd": "/home/ann/shop",
        "gitBranch": "main",
        "message": {
            "id": message_id,
            "role": "assistant",
            "model": "claude-sonnet-5",
            "content": [{"type": "text", "text": CANARY}],
            "usage": usage,
        },
        **changes,
    }


class TestClaudeCode:
    def test_counts_and_attribution(self) -> None:
        (event,) = read(claude_line("msg_1", 50))
        assert (event.id, counts(event)) == ("anthropic:msg_1", (140, 10, 30, 50, 0))
        assert event.cache_write_1h_tokens == 20
        assert (event.service, event.project, event.session) == ("claude-code", "shop", "s-1")
        assert CANARY not in event.model_dump_json()

    def test_of_a_streaming_answers_lines_the_last_counts(self) -> None:
        parts = [claude_line("msg_1", output) for output in (1, 1, 30, 50, 50)]
        events = read(*parts[:2], claude_line("msg_2", 5), *parts[2:])
        assert [(event.id[-5:], event.output_tokens) for event in events] == [
            ("msg_1", 1), ("msg_2", 5), ("msg_1", 30), ("msg_1", 50),
        ]  # fmt: skip
        assert {name: event.output_tokens for name, event in counted_once(events).items()} == {
            "anthropic:msg_1": 50,
            "anthropic:msg_2": 5,
        }

    def test_a_resumed_sessions_file_repeats_no_call(self) -> None:
        first = read(claude_line("msg_1", 50), claude_line("msg_2", 60))
        resumed = [
            claude_line(name, output, sessionId="s-2") for name, output in (("msg_1", 50), ("msg_2", 60))
        ]
        again = read(*resumed, claude_line("msg_3", 70, sessionId="s-2"))
        assert set(counted_once(first + again)) == {f"anthropic:msg_{number}" for number in (1, 2, 3)}

    def test_a_sidechain_that_replays_its_parent_counts_once(self) -> None:
        """ccusage 913: the same message id under another request id."""
        parent = read(claude_line("msg_1", 50))
        side = read(claude_line("msg_1", 50, isSidechain=True, requestId="req-2"),
                    claude_line("msg_9", 8, isSidechain=True, requestId="req-3"))  # fmt: skip
        assert sorted(counted_once(parent + side)) == ["anthropic:msg_1", "anthropic:msg_9"]

    def test_what_claude_code_makes_up_is_no_call(self) -> None:
        line = claude_line("msg_1", 0)
        line["message"] |= {"model": "<synthetic>"}
        prompt = {
            "type": "user",
            "uuid": "u",
            "sessionId": "s-1",
            "message": {"role": "user", "content": CANARY},
        }
        assert read(line, prompt, {"type": "summary", "summary": CANARY, "leafUuid": "u"}) == []

    def test_bedrock_and_vertex_send_their_own_bill(self) -> None:
        events = read(claude_line("msg_bdrk_1", 5), claude_line("msg_vrtx_1", 5))
        assert [(event.vendor, event.id) for event in events] == [
            ("aws", "aws:msg_bdrk_1"),
            ("google", "google:msg_vrtx_1"),
        ]

    def test_an_advisor_within_an_answer_is_a_call_of_its_own(self) -> None:
        line = claude_line("msg_1", 50)
        step = {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 7, "output_tokens": 2}
        line["message"]["usage"]["iterations"] = [step]
        assert [(event.id, event.model) for event in read(line)] == [
            ("anthropic:msg_1", "claude-sonnet-5"),
            ("anthropic:msg_1/1", "claude-opus-5"),
        ]

    def test_reading_on_from_a_state_repeats_nothing(self) -> None:
        first = records.new_reader("claude_code")
        lines = [claude_line("msg_1", 50), claude_line("msg_1", 50)]
        read_one(first, lines[0])
        second = records.new_reader("claude_code")
        second.restore(first.state)  # type: ignore[attr-defined]
        assert read_one(second, lines[1]) == []


def read_one(reader: records.RecordReader, line: dict[str, Any]) -> list[Any]:
    from producers.vendors.answer import Answer
    from tests.records.reading import NOW, exact

    return list(reader(Answer(exact(line)), records.RecordContext(source="log", now=NOW)))


def meta(session: str, **changes: Any) -> dict[str, Any]:
    payload = {"id": session, "cwd": "/home/ann/shop", "model_provider": "openai", **changes}
    return {"timestamp": "2026-10-01T09:00:00Z", "type": "session_meta", "payload": payload}


def settings(model: str = "gpt-5.4-codex") -> dict[str, Any]:
    return {"timestamp": "2026-10-01T09:00:00Z", "type": "turn_context", "payload": {"model": model}}


def usage(total: int, cached: int = 0, output: int = 0, reasoning: int = 0) -> dict[str, int]:
    return {
        "input_tokens": total,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
        "total_tokens": total + output,
    }


def token_count(
    total: dict[str, int] | None, last: dict[str, int] | None = None, time: str = "2026-10-01T09:01:00Z"
) -> dict[str, Any]:
    info = None if total is None and last is None else {"total_token_usage": total, "last_token_usage": last}
    return {
        "timestamp": time,
        "type": "event_msg",
        "payload": {"type": "token_count", "info": info, "rate_limits": {"primary": {"used_percent": 7}}},
    }


PARENT = [
    meta("parent"),
    settings(),
    token_count(usage(1000, 200, 100, 60), usage(1000, 200, 100, 60)),
    token_count(usage(2500, 900, 150, 70), usage(1500, 700, 50, 10)),
]


class TestCodex:
    def test_calls_are_differences_of_totals(self) -> None:
        first, second = read(*PARENT)
        assert counts(first) == (1000, 200, 0, 100, 60)
        assert counts(second) == (1500, 700, 0, 50, 10)
        assert (second.model, second.vendor, second.session, second.project) == (
            "gpt-5.4-codex",
            "openai",
            "parent",
            "shop",
        )

    def test_totals_that_are_emitted_again_are_no_call(self) -> None:
        """ccusage 1288: +67 %."""
        again = [line for line in PARENT for _ in range(3)]
        assert read(*again) == read(*PARENT)
        assert read(meta("a"), token_count(None)) == []

    def test_totals_alone_are_enough(self) -> None:
        lines = [meta("a"), token_count(usage(1000, 200, 100)), token_count(usage(1700, 200, 120))]
        assert [counts(event)[:2] for event in read(*lines)] == [(1000, 200), (700, 0)]

    def test_a_counter_that_begins_anew_is_counted_from_there(self) -> None:
        lines = [*PARENT, token_count(usage(400, 0, 30), usage(400, 0, 30))]
        assert counts(read(*lines)[-1]) == (400, 0, 0, 30, 0)

    def test_a_total_that_only_the_context_window_fills_is_no_call(self) -> None:
        full = {**usage(2500, 900, 150, 70), "total_tokens": 258_400}
        assert len(read(*PARENT, token_count(full, {"total_tokens": 258_400}))) == 2

    def test_a_forks_copy_of_its_parents_history_is_counted_once(self) -> None:
        """ccusage 897 and 950: up to 91 times too much."""
        at_fork = "2026-10-02T12:00:00Z"
        copied = [{**line, "timestamp": at_fork} for line in PARENT]
        own = token_count(usage(3000, 1000, 180, 80), usage(500, 100, 30, 10), "2026-10-02T12:00:09Z")
        for child_again in ([], [meta("child")]):
            fork = read(meta("child", forked_from_id="parent"), *copied, *child_again, own)
            kept = counted_once(fork + read(*PARENT))
            assert sum(event.input_tokens for event in kept.values()) == 3000
            assert len(kept) == 3
            assert [event.session for event in kept.values()].count("parent") == 2

    def test_a_subagent_that_copies_only_its_parents_meta_counts_all_its_own(self) -> None:
        """PokeTokenBar 132: trimming by time lost the first turn."""
        own = [
            token_count(usage(700, 0, 20), usage(700, 0, 20)),
            token_count(usage(1500, 0, 50), usage(800, 0, 30)),
        ]
        child = read(meta("child", forked_from_id="parent"), meta("parent"), settings(), *own)
        assert (
            sum(event.input_tokens for event in counted_once(child + read(*PARENT)).values()) == 2500 + 1500
        )

    def test_a_fork_that_inherits_totals_without_history_counts_its_own_call(self) -> None:
        (event,) = read(meta("child"), token_count(usage(3_000_000, 0, 9000), usage(9000, 0, 35)))
        assert (event.input_tokens, event.output_tokens) == (9000, 35)

    def test_names_are_the_same_from_wherever_reading_went_on(self) -> None:
        whole = read(*PARENT)
        first = records.new_reader("codex")
        for line in PARENT[:3]:
            read_one(first, line)
        second = records.new_reader("codex")
        second.restore(first.state)  # type: ignore[attr-defined]
        (event,) = read_one(second, PARENT[3])
        assert (event.id, counts(event)) == (whole[1].id, counts(whole[1]))

    def test_content_is_passed_over(self) -> None:
        line = {"timestamp": "2026-10-01T09:00:00Z", "type": "response_item", "payload": {"content": CANARY}}
        assert read(line, form="codex") == []


def chat(**changes: Any) -> dict[str, Any]:
    return {
        "sessionId": "g-1",
        "projectHash": "ab",
        "startTime": "2026-10-01T00:00:00Z",
        "messages": [
            {"id": "m0", "type": "user", "content": CANARY, "timestamp": "2026-10-01T00:00:01Z"},
            answer("m1"),
        ],
        **changes,
    }


def answer(message_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "gemini",
        "content": CANARY,
        "model": "gemini-3-flash",
        "timestamp": "2026-10-01T00:00:05Z",
        "tokens": {"input": 100, "output": 20, "cached": 40, "thoughts": 10, "tool": 5, "total": 135},
        **changes,
    }


class TestGeminiCli:
    def test_thoughts_and_tools_stand_outside(self) -> None:
        (event,) = read(chat())
        assert (event.id, counts(event)) == ("gemini-cli:g-1/m1", (105, 40, 0, 30, 10))
        assert CANARY not in event.model_dump_json()

    def test_lines_of_the_newer_form_give_the_same_calls(self) -> None:
        header = {name: value for name, value in chat().items() if name != "messages"}
        lines = read(
            header,
            answer("m1", tokens=None),
            answer("m1"),
            {"$rewindTo": "m0"},
            {"$set": {"summary": CANARY}},
        )
        assert lines == read(chat())
        assert counted_once(read(header, {"$set": {"messages": [answer("m1"), answer("m2")]}})).keys() == {
            "gemini-cli:g-1/m1",
            "gemini-cli:g-1/m2",
        }
