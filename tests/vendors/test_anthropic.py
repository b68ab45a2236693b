"""Anthropic: the traps of its messages, their iterations, streams and batches."""

from typing import Any

import pytest

from producers.vendors import detect, read_answer
from tests.vendors.bodies import CANARY, CONTEXT, MESSAGE, calls, counts_of, merged, read, units_of
from tokenweir.errors import RejectedInput

NO_CACHE = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


def message(**usage: Any) -> dict[str, Any]:
    return {**MESSAGE, "usage": {**NO_CACHE, **usage}}


def step(kind: str, inputs: int, outputs: int, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "input_tokens": inputs, "output_tokens": outputs, **NO_CACHE, **fields}


class TestMessages:
    def test_the_cache_is_outside_the_input(self) -> None:
        event = read("anthropic", MESSAGE)
        assert (event.input_tokens, event.cache_read_tokens, event.cache_write_tokens) == (2410, 2000, 400)

    def test_one_hour_cache_writes_are_told_apart(self) -> None:
        assert read("anthropic", MESSAGE).cache_write_1h_tokens == 100

    def test_a_sum_without_its_split_is_counted_all_the_same(self) -> None:
        split = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
        event = read(
            "anthropic",
            message(input_tokens=1, output_tokens=1)
            | {"usage": {"input_tokens": 1, "cache_creation_input_tokens": 50, "cache_creation": split}},
        )
        assert (event.input_tokens, event.cache_write_tokens, event.cache_write_1h_tokens) == (51, 50, 0)

    def test_thinking_is_inside_the_output(self) -> None:
        event = read("anthropic", MESSAGE)
        assert (event.output_tokens, event.reasoning_tokens) == (77, 33)

    def test_searches_are_billed_and_fetches_are_not(self) -> None:
        assert units_of(read("anthropic", MESSAGE)) == {"web_searches": 2}

    def test_fast_mode_has_a_price_of_its_own(self) -> None:
        body = message(input_tokens=1, output_tokens=2, speed="fast", service_tier="standard")
        assert read("anthropic", body).service_tier == "fast"

    @pytest.mark.parametrize(
        ("geo", "region"), [("us", "us"), ("global", ""), ("not_available", ""), (None, "")]
    )
    def test_where_it_ran_is_a_region_only_where_it_says_one(self, geo: str | None, region: str) -> None:
        assert read("anthropic", message(input_tokens=1, output_tokens=2, inference_geo=geo)).region == region


class TestIterations:
    def test_an_advisor_is_a_call_at_its_own_models_price(self) -> None:
        usage = {
            "input_tokens": 2390,
            "output_tokens": 121,
            "iterations": [
                step("message", 1128, 110),
                step("advisor_message", 2518, 22, model="claude-opus-4-8"),
                step("message", 1262, 11),
            ],
        }
        for surface in (None, "messages", "iterations_advisor"):
            first, advisor = calls("anthropic", message(**usage), surface)
            assert counts_of(first) == {"input_tokens": 2390, "output_tokens": 121}
            assert (advisor.id, advisor.model) == ("anthropic:msg_7/1", "claude-opus-4-8")
            assert counts_of(advisor) == {"input_tokens": 2518, "output_tokens": 22}
            assert first.tags == {}

    def test_a_compaction_is_a_call_outside_the_top_level_with_its_cache_writes(self) -> None:
        written = {
            "cache_creation_input_tokens": 55_096,
            "cache_creation": {"ephemeral_1h_input_tokens": 55_096, "ephemeral_5m_input_tokens": 0},
        }
        usage = {
            "input_tokens": 229,
            "output_tokens": 5,
            "iterations": [step("compaction", 100, 131, **written), step("message", 229, 5)],
        }
        first, compaction = calls("anthropic", message(**usage))
        assert counts_of(first) == {"input_tokens": 229, "output_tokens": 5}
        assert compaction.model == MESSAGE["model"]
        assert counts_of(compaction) == {
            "input_tokens": 55_196,
            "cache_write_tokens": 55_096,
            "cache_write_1h_tokens": 55_096,
            "output_tokens": 131,
        }

    def test_a_fallback_is_billed_at_the_model_that_served_and_the_hop_that_declined_at_its_own(
        self,
    ) -> None:
        usage = {
            "input_tokens": 412,
            "output_tokens": 264,
            "iterations": [
                step("message", 408, 0, model="claude-fable-5"),
                step("fallback_message", 412, 264, model="claude-opus-4-8"),
            ],
        }
        served, declined = calls("anthropic", {**message(**usage), "model": "claude-fable-5"})
        assert (served.model, served.requested_model) == ("claude-opus-4-8", "claude-fable-5")
        assert counts_of(served) == {"input_tokens": 412, "output_tokens": 264}
        assert (declined.model, counts_of(declined)) == ("claude-fable-5", {"input_tokens": 408})
        assert served.tags == {}

    def test_rounds_of_the_serving_model_are_in_the_top_level(self) -> None:
        usage = {
            "input_tokens": 512,
            "output_tokens": 274,
            "iterations": [
                step("message", 408, 0, model="claude-fable-5"),
                step("message", 100, 10, model="claude-opus-4-8"),
                step("fallback_message", 412, 264, model="claude-opus-4-8"),
            ],
        }
        served, declined = calls("anthropic", message(**usage))
        assert (served.input_tokens, served.tags, declined.input_tokens) == (512, {}, 408)

    def test_rounds_that_do_not_add_up_to_the_top_level_are_tagged(self) -> None:
        usage = {"input_tokens": 10, "output_tokens": 5, "iterations": [step("message", 8, 5)]}
        assert read("anthropic", message(**usage)).tags == {"usage_total_mismatch": "-2"}

    def test_no_iterations_are_none(self) -> None:
        for nothing in (None, []):
            assert (
                read("anthropic", message(input_tokens=1, output_tokens=2, iterations=nothing)).input_tokens
                == 1
            )


START = {
    "type": "message_start",
    "message": {
        "id": "msg_9",
        "type": "message",
        "model": "claude-sonnet-5",
        "content": [],
        "stop_reason": None,
        "usage": {
            "input_tokens": 2,
            "cache_creation_input_tokens": 3000,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 2000, "ephemeral_1h_input_tokens": 1000},
            "output_tokens": 69,
            "service_tier": "priority",
            "inference_geo": "us",
        },
    },
}
SAID = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": CANARY}}
DELTA = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {
        "input_tokens": 6,
        "cache_creation_input_tokens": 3300,
        "cache_read_input_tokens": 6289,
        "output_tokens": 198,
        "output_tokens_details": {"thinking_tokens": 90},
        "server_tool_use": {"web_search_requests": 1},
    },
}
STOP = {"type": "message_stop"}


class TestStream:
    def test_the_delta_is_cumulative_and_never_added_to_the_start(self) -> None:
        event = merged("anthropic", [START, SAID, DELTA, STOP])
        assert (event.input_tokens, event.output_tokens) == (6 + 3300 + 6289, 198)
        assert (event.reasoning_tokens, units_of(event)) == (90, {"web_searches": 1})
        assert (event.id, event.status) == ("anthropic:msg_9", "ok")

    def test_tier_region_and_the_ratio_of_one_hour_writes_are_those_of_the_start(self) -> None:
        event = merged("anthropic", [START, DELTA])
        assert (event.service_tier, event.region) == ("priority", "us")
        assert (event.cache_write_tokens, event.cache_write_1h_tokens) == (3300, 1100)

    def test_a_stream_that_was_cut_off_is_counted_as_far_as_known(self) -> None:
        event = merged("anthropic", [START, SAID])
        assert (event.status, event.error_code) == ("cancelled", "stream_cut_off")
        assert (event.input_tokens, event.output_tokens) == (3002, 69)

    def test_an_error_in_the_middle_ends_it_by_its_type(self) -> None:
        error = {"type": "error", "error": {"type": "overloaded_error", "message": CANARY}}
        event = merged("anthropic", [START, SAID, error])
        assert (event.status, event.error_code, event.input_tokens) == ("error", "overloaded_error", 3002)

    def test_a_delta_that_tells_the_output_alone_takes_nothing_back(self) -> None:
        event = merged("anthropic", [START, {**DELTA, "usage": {"input_tokens": 0, "output_tokens": 150}}])
        assert (event.input_tokens, event.output_tokens) == (3002, 150)

    def test_iterations_of_a_stream_are_calls_too(self) -> None:
        advisor = step("advisor_message", 2518, 22, model="claude-opus-4-8")
        delta = {**DELTA, "usage": {**DELTA["usage"], "iterations": [advisor]}}  # type: ignore[dict-item]
        first, inner = calls("anthropic", delta)
        assert (first.output_tokens, inner.model, inner.input_tokens) == (198, "claude-opus-4-8", 2518)

    @pytest.mark.parametrize("surface", [None, "messages", "messages_stream"])
    def test_a_single_event_is_read_as_far_as_it_tells(self, surface: str | None) -> None:
        assert detect("anthropic", START) == detect("anthropic", DELTA) == "messages"
        ended = read("anthropic", DELTA, surface)
        assert (ended.output_tokens, ended.status, ended.streaming) == (198, "ok", True)
        begun = read("anthropic", START, surface)
        assert (begun.id, begun.input_tokens, begun.status) == ("anthropic:msg_9", 3002, "cancelled")

    def test_an_event_without_usage_is_no_call(self) -> None:
        for event in (STOP, SAID, {"type": "ping"}):
            with pytest.raises(RejectedInput) as caught:
                read_answer("anthropic", event, context=CONTEXT)
            assert caught.value.field == "usage"


class TestBatch:
    def test_a_result_costs_the_batch_price_whatever_its_tier_says(self) -> None:
        line = {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}
        event = read("anthropic", line)
        assert (event.service_tier, event.id) == ("batch", "anthropic:msg_7")

    @pytest.mark.parametrize("kind", ["errored", "canceled", "expired"])
    def test_what_did_not_succeed_was_not_billed(self, kind: str) -> None:
        line = {"custom_id": CANARY, "result": {"type": kind, "error": {"message": CANARY}}}
        with pytest.raises(RejectedInput) as caught:
            read_answer("anthropic", line, context=CONTEXT)
        assert caught.value.field == "result.message"
        assert CANARY not in str(caught.value)
