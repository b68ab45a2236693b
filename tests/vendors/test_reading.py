"""What holds for every vendor: names, other spellings, stated totals, calls within calls, what streams give."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.vendors import (
    AnswerContext,
    detect,
    read_calls,
    read_stream,
    surface_named,
    surfaces,
    vendor_name,
    vendors,
)
from tests.vendors.bodies import CHAT, CONTENT, CONTEXT, MESSAGE, NOW, RESPONSE, merged, read, streamed
from tokenweir.errors import RejectedInput, WrongCall

STATED: list[tuple[str, dict[str, Any], str]] = [
    ("openai", CHAT, "usage.total_tokens"),
    ("openai", RESPONSE, "usage.total_tokens"),
    ("azure", CHAT, "usage.total_tokens"),
    ("openai", {"usage": {"prompt_tokens": 4, "total_tokens": 4}}, "usage.total_tokens"),
    ("google", CONTENT, "usageMetadata.totalTokenCount"),
    (
        "google",
        {"usage": {"total_input_tokens": 3, "total_thought_tokens": 2, "total_tokens": 5}},
        "usage.total_tokens",
    ),
    (
        "aws",
        {"usage": {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 3, "totalTokens": 6}},
        "usage.totalTokens",
    ),
]


def changed(body: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    return {**body, name: changed(body[name], rest, value) if rest else value}


class TestStatedTotals:
    @pytest.mark.parametrize(("vendor", "body", "path"), STATED)
    def test_the_sum_of_input_and_output_is_every_vendors_total(
        self, vendor: str, body: dict[str, Any], path: str
    ) -> None:
        assert "usage_total_mismatch" not in read(vendor, body).tags

    @pytest.mark.parametrize(("vendor", "body", "path"), STATED)
    @pytest.mark.parametrize("total", [None, 0, "1300", True, [], 10**30, 1.5])
    def test_a_total_that_is_none_is_not_checked(
        self, vendor: str, body: dict[str, Any], path: str, total: Any
    ) -> None:
        assert "usage_total_mismatch" not in read(vendor, changed(body, path, total)).tags

    @given(st.sampled_from(STATED), st.integers(1, 1_000_000))
    def test_another_total_is_tagged_and_changes_no_count(
        self, stated: tuple[str, dict[str, Any], str], total: int
    ) -> None:
        vendor, body, path = stated
        right = read(vendor, body)
        event = read(vendor, changed(body, path, total))
        difference = total - right.input_tokens - right.output_tokens
        assert event.tags.get("usage_total_mismatch") == (f"{difference:+d}" if difference else None)
        assert (event.input_tokens, event.output_tokens) == (right.input_tokens, right.output_tokens)

    def test_the_callers_tags_are_kept_beside_it(self) -> None:
        context = AnswerContext(source="test", now=NOW, fields={"tags": {"feature": "search"}})
        (event,) = read_calls("openai", changed(CHAT, "usage.total_tokens", 1), context=context)
        assert event.tags == {"feature": "search", "usage_total_mismatch": "-1299"}

    def test_a_full_set_of_the_callers_tags_is_left_as_it_is(self) -> None:
        full = {f"t{number}": "x" for number in range(32)}
        context = AnswerContext(source="test", now=NOW, fields={"tags": full})
        (event,) = read_calls("openai", changed(CHAT, "usage.total_tokens", 1), context=context)
        assert event.tags == full


class TestNames:
    def test_other_spellings_of_vendors_are_read_under_the_one_name(self) -> None:
        for other, name in (("zai", "zhipu"), ("azure_openai", "azure"), ("openai", "openai")):
            assert vendor_name(other) == name
        assert read("google_vertex", CONTENT).vendor == "google"
        assert set(map(vendor_name, vendors())) == set(vendors())

    @pytest.mark.parametrize(
        ("vendor", "asked", "surface"),
        [
            ("anthropic", "messages_stream", "messages"),
            ("anthropic", "iterations_fallback", "messages"),
            ("openai", "chat", "chat_completions"),
            ("openai", "chat_completions_stream", "chat_completions"),
            ("azure_foundry", "deepseek", "chat_completions"),
            ("aws_bedrock", "converse_stream", "converse"),
            ("aws", "via_bedrock_invoke_model", "invoke_model"),
            ("cohere", "embed", "embeddings"),
            ("google_gemini", "generate_content_stream", "generate_content"),
            ("google", "default", ""),
        ],
    )
    def test_other_names_of_surfaces_are_taken_and_listed_nowhere(
        self, vendor: str, asked: str, surface: str
    ) -> None:
        assert surface_named(vendor, asked) == surface
        assert asked not in surfaces(vendor)

    def test_a_name_that_is_none_is_told_with_the_near_one(self) -> None:
        with pytest.raises(WrongCall, match="Did you mean embeddings"):
            surface_named("cohere", "embedings")


class TestCallsInOneStream:
    DONE = staticmethod(
        lambda: {
            "type": "response.done",
            "response": {"usage": {"input_tokens": 1, "output_tokens": 2}},
        }
    )

    def test_calls_without_ids_are_named_after_the_first(self) -> None:
        context = AnswerContext(source="log", now=NOW, make_id=lambda: "log:7")
        events = read_stream("openai", [self.DONE(), self.DONE(), self.DONE()], context=context)
        assert [event.id for event in events] == ["log:7", "log:7.1", "log:7.2"]

    def test_the_same_stream_read_again_has_the_same_names(self) -> None:
        context = AnswerContext(source="log", now=NOW, make_id=lambda: "log:7")
        chunks = [self.DONE(), self.DONE()]
        first = read_stream("openai", chunks, context=context)
        assert first == read_stream("openai", chunks, context=context)
        assert len(streamed("openai", chunks)) == 2


class TestStreams:
    def test_what_the_caller_knows_of_the_outcome_wins(self) -> None:
        context = AnswerContext(source="test", now=NOW, fields={"status": "timeout", "ttft_ms": 5.0})
        start = {"type": "message_start", "message": MESSAGE}
        (event,) = read_stream("anthropic", [start], context=context)
        assert (event.status, event.ttft_ms) == ("timeout", 5.0)

    @pytest.mark.parametrize("vendor", ["openai", "azure", "anthropic", "google", "aws", "cohere"])
    def test_chunks_of_no_stream_are_refused(self, vendor: str) -> None:
        for chunks in ([], [{}], [{"a": 1}, {"type": "ping"}]):
            with pytest.raises(RejectedInput) as caught:
                read_stream(vendor, chunks, context=CONTEXT)
            assert caught.value.reason == "missing_field"

    def test_a_stream_can_be_named(self) -> None:
        chunk = {"id": "c", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
        assert merged("openai", [chunk], "chat_completions_stream").id == "openai:c"
        with pytest.raises(RejectedInput):
            read_stream("openai", [chunk], surface="videos", context=CONTEXT)

    def test_the_time_is_the_answers_then_the_callers(self) -> None:
        earlier = datetime(2026, 2, 1, tzinfo=UTC)
        context = AnswerContext(source="test", now=NOW, time=earlier)
        (event,) = read_stream("anthropic", [{"type": "message_start", "message": MESSAGE}], context=context)
        assert event.time == earlier
        assert detect("anthropic", MESSAGE) == "messages"


class TestUsageAlone:
    @pytest.mark.parametrize(
        ("vendor", "surface", "usage", "counts"),
        [
            ("openai", "chat_completions", CHAT["usage"], (1000, 300)),
            ("openai", "responses", RESPONSE["usage"], (90, 40)),
            ("openai", "embeddings", {"prompt_tokens": 4, "total_tokens": 4}, (4, 0)),
            ("anthropic", "messages", MESSAGE["usage"], (2410, 77)),
            ("google", "generate_content", CONTENT["usageMetadata"], (560, 100)),
            ("aws", "converse", {"inputTokens": 3, "cacheReadInputTokens": 5, "outputTokens": 2}, (8, 2)),
        ],
    )
    def test_a_usage_object_by_itself_is_read_as_in_its_answer(
        self, vendor: str, surface: str, usage: dict[str, Any], counts: tuple[int, int]
    ) -> None:
        for named in (None, surface):
            event = read(vendor, usage, named)
            assert (event.input_tokens, event.output_tokens) == counts

    def test_a_model_beside_the_counts_is_its_model(self) -> None:
        assert read("openai", {"model": "gpt-5", "prompt_tokens": 1, "completion_tokens": 2}).model == "gpt-5"

    @pytest.mark.parametrize(
        "body", [{"error": {"code": 5}}, {"code": 429, "message": "x"}, {"count": 5}, {}]
    )
    def test_other_numbers_are_no_usage(self, body: dict[str, Any]) -> None:
        for vendor in ("openai", "anthropic", "google", "aws", "cohere"):
            with pytest.raises(RejectedInput) as caught:
                read_calls(vendor, body, context=CONTEXT)
            assert caught.value.reason == "missing_field"
