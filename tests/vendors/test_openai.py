"""OpenAI: the traps of its text surfaces, their streams and batches."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest

from producers.vendors import detect, read_answer, read_calls
from tests.vendors.bodies import (
    CANARY,
    CHAT,
    CONTEXT,
    RESPONSE,
    calls,
    counts_of,
    merged,
    read,
    units_of,
)
from tokenweir.errors import RejectedInput

USAGE: dict[str, Any] = CHAT["usage"]  # type: ignore[assignment]


def chunk(**fields: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-8",
        "object": "chat.completion.chunk",
        "created": 1_770_000_000,
        "model": "gpt-5-2025-08-07",
        "choices": [],
        "usage": None,
        **fields,
    }


SAID = chunk(choices=[{"index": 0, "delta": {"content": CANARY}, "finish_reason": None}])
STOPPED = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
TOLD = chunk(usage=USAGE)


class TestChat:
    def test_cached_and_cache_written_tokens_are_inside_the_prompt(self) -> None:
        event = read("openai", CHAT)
        assert (event.input_tokens, event.cache_read_tokens, event.cache_write_tokens) == (1000, 600, 100)

    def test_reasoning_and_rejected_predictions_are_inside_the_completion(self) -> None:
        event = read("openai", CHAT)
        assert (event.output_tokens, event.reasoning_tokens) == (300, 250)

    def test_the_tier_is_the_one_that_was_used(self) -> None:
        assert read("openai", {**CHAT, "service_tier": "flex"}).service_tier == "flex"
        assert read("openai", {**CHAT, "service_tier": None}).service_tier == "standard"

    def test_details_that_are_null_are_none(self) -> None:
        usage = {
            "prompt_tokens": 5,
            "completion_tokens": 6,
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        }
        assert counts_of(read("openai", {"usage": usage})) == {"input_tokens": 5, "output_tokens": 6}

    def test_floats_and_fields_that_nobody_knows_do_no_harm(self) -> None:
        usage = {"prompt_tokens": 5.0, "completion_tokens": Decimal("6.0"), "new": {"deep": [1]}}
        assert counts_of(read("openai", {"usage": usage})) == {"input_tokens": 5, "output_tokens": 6}


class TestChatStream:
    def test_the_last_chunk_without_choices_tells_the_usage(self) -> None:
        event = merged("openai", [SAID, STOPPED, TOLD])
        assert counts_of(event) == counts_of(read("openai", CHAT))
        assert (event.id, event.model, event.status) == ("openai:chatcmpl-8", CHAT["model"], "ok")

    def test_without_include_usage_the_call_is_counted_and_says_that_its_usage_is_not(self) -> None:
        event = merged("openai", [SAID, STOPPED])
        assert (counts_of(event), event.status, event.error_code) == ({}, "ok", "usage_not_stated")

    def test_a_disconnect_before_the_last_chunk_loses_the_usage_and_says_so(self) -> None:
        event = merged("openai", [SAID, SAID])
        assert (event.status, event.error_code) == ("cancelled", "usage_not_stated")
        assert event.id == "openai:chatcmpl-8"

    def test_no_choices_alone_are_no_end(self) -> None:
        first = chunk(choices=[], id="", model="", created=0, object="")
        event = merged("openai", [first, SAID])
        assert (event.id, event.model, event.status) == ("openai:chatcmpl-8", CHAT["model"], "cancelled")

    def test_the_final_chunk_by_itself_is_a_call(self) -> None:
        event = read("openai", TOLD)
        assert (event.input_tokens, event.streaming) == (1000, True)
        assert read("openai", TOLD, "chat_completions_stream").input_tokens == 1000

    def test_any_other_chunk_by_itself_is_none(self) -> None:
        with pytest.raises(RejectedInput) as caught:
            read_calls("openai", SAID, context=CONTEXT)
        assert (caught.value.reason, caught.value.field) == ("missing_field", "usage")

    def test_usage_in_every_chunk_is_a_running_total(self) -> None:
        counts = [chunk(usage={"prompt_tokens": 9, "completion_tokens": number}) for number in (1, 2, 3)]
        assert counts_of(merged("openai", [*counts, STOPPED])) == {"input_tokens": 9, "output_tokens": 3}

    def test_an_error_in_the_middle_ends_the_call_by_its_code(self) -> None:
        error = {"error": {"code": "server_error", "message": CANARY}}
        event = merged("openai", [SAID, error])
        assert (event.status, event.error_code) == ("error", "server_error")
        limited = {"error": {"code": "rate_limit_exceeded", "message": CANARY}}
        assert merged("openai", [SAID, TOLD, limited]).status == "rate_limited"

    def test_a_filtered_stream_says_so(self) -> None:
        filtered = chunk(choices=[{"finish_reason": "content_filter"}])
        assert merged("openai", [SAID, filtered, TOLD]).status == "filtered"


class TestResponses:
    STARTED: ClassVar = {
        "type": "response.created",
        "response": {
            "id": "resp_7",
            "object": "response",
            "model": "gpt-5",
            "status": "in_progress",
            "usage": None,
        },
    }
    SAID: ClassVar = {"type": "response.output_text.delta", "delta": CANARY}
    ENDED: ClassVar = {"type": "response.completed", "response": RESPONSE}

    def test_the_completed_event_tells_the_usage(self) -> None:
        event = merged("openai", [self.STARTED, self.SAID, self.ENDED])
        assert counts_of(event) == counts_of(read("openai", RESPONSE))
        assert units_of(event) == {"web_searches": 1, "file_searches": 1}
        assert (event.id, event.status) == ("openai:resp_7", "ok")

    @pytest.mark.parametrize("surface", [None, "responses", "responses_stream"])
    def test_the_completed_event_by_itself_is_a_call(self, surface: str | None) -> None:
        assert detect("openai", self.ENDED) == "responses"
        assert counts_of(read("openai", self.ENDED, surface)) == counts_of(read("openai", RESPONSE))

    def test_a_stream_that_was_cut_off_is_counted_without_usage(self) -> None:
        event = merged("openai", [self.STARTED, self.SAID])
        assert (event.id, event.status, event.error_code) == (
            "openai:resp_7",
            "cancelled",
            "usage_not_stated",
        )

    def test_an_incomplete_and_a_failed_response_are_counted(self) -> None:
        incomplete = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
        event = merged("openai", [self.STARTED, {"type": "response.incomplete", "response": incomplete}])
        assert (event.status, event.input_tokens) == ("filtered", 90)
        failed = {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": CANARY}}
        event = merged("openai", [self.STARTED, {"type": "response.failed", "response": failed}])
        assert (event.status, event.error_code, event.input_tokens) == ("error", "server_error", 90)

    def test_an_error_event_ends_it_by_its_code(self) -> None:
        event = merged("openai", [self.STARTED, {"type": "error", "code": "server_error", "message": CANARY}])
        assert (event.status, event.error_code) == ("error", "server_error")

    def test_a_code_that_is_prose_is_left_out(self) -> None:
        failed = {**RESPONSE, "status": "failed", "error": {"code": CANARY}}
        assert read("openai", failed).error_code == ""

    def test_each_tool_call_that_is_billed_is_a_unit(self) -> None:
        output = [
            {"type": "code_interpreter_call"},
            {"type": "code_interpreter_call"},
            {"type": "web_search_call"},
        ]
        units = units_of(read("openai", {**RESPONSE, "output": output}))
        assert units == {"code_interpreter_calls": 2, "web_searches": 1}

    def test_pictures_drawn_on_the_way_are_a_call_at_the_image_models_price(self) -> None:
        drawn = {
            "input_tokens": 30,
            "output_tokens": 1000,
            "output_tokens_details": {"image_tokens": 1000},
        }
        body = {
            **RESPONSE,
            "tools": [{"type": "image_generation", "model": "gpt-image-1"}],
            "tool_usage": {"image_gen": drawn, "web_search": {"num_requests": 2}},
        }
        first, picture = calls("openai", body)
        assert (counts_of(first), units_of(first)["web_searches"]) == (counts_of(read("openai", RESPONSE)), 2)
        assert (picture.id, picture.model, picture.operation) == ("openai:resp_7/1", "gpt-image-1", "image")
        assert counts_of(picture) == {"input_tokens": 30, "output_tokens": 1000, "output_image_tokens": 1000}

    def test_a_response_asked_for_again_is_the_same_call(self) -> None:
        assert read("openai", RESPONSE).id == read("openai", dict(RESPONSE)).id


class TestBatch:
    def test_a_batch_line_costs_the_batch_price(self) -> None:
        line = {"custom_id": "a", "response": {"body": CHAT}}
        assert read("openai", line).service_tier == "batch"

    @pytest.mark.parametrize("surface", [None, "batch"])
    def test_a_whole_batch_is_not_counted_beside_its_lines(self, surface: str | None) -> None:
        batch = {"id": "batch_1", "object": "batch", "usage": {"input_tokens": 1000, "output_tokens": 200}}
        with pytest.raises(RejectedInput) as caught:
            read_answer("openai", batch, surface=surface, context=CONTEXT)
        assert (caught.value.reason, caught.value.field) == ("wrong_type", "object")

    def test_a_request_of_a_batch_that_failed_is_no_call(self) -> None:
        line = {"custom_id": "a", "response": {"status_code": 400, "body": {"error": {"message": CANARY}}}}
        with pytest.raises(RejectedInput) as caught:
            read_answer("openai", line, context=CONTEXT)
        assert caught.value.field == "response.body.usage"
        assert CANARY not in str(caught.value)


class TestEmbeddings:
    def test_there_is_no_output(self) -> None:
        body = {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 4, "total_tokens": 4}}
        for surface in (None, "embeddings", "embed"):
            event = read("openai", body, surface)
            assert (event.operation, counts_of(event)) == ("embedding", {"input_tokens": 4})
