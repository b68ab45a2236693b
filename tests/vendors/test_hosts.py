"""DeepSeek, Cerebras, Fireworks, Together, Hugging Face, NVIDIA, Meta, Ollama: what each does otherwise than OpenAI."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest

from producers.vendors import detect, guess_vendor, read_calls
from tests.vendors.hosts import CANARY, CONTEXT, chunk, completion, cost, counted, merged, read
from tokenweir.errors import RejectedInput

PLAIN = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}


class TestDeepSeek:
    USAGE: ClassVar[dict[str, Any]] = {
        "prompt_tokens": 976,
        "completion_tokens": 61,
        "total_tokens": 1037,
        "prompt_cache_hit_tokens": 896,
        "prompt_cache_miss_tokens": 80,
        "prompt_tokens_details": {"cached_tokens": 896},
        "completion_tokens_details": {"reasoning_tokens": 25},
    }
    COUNTS: ClassVar[dict[str, Any]] = {
        "input_tokens": 976,
        "cache_read_tokens": 896,
        "output_tokens": 61,
        "reasoning_tokens": 25,
    }

    @pytest.mark.parametrize("without", ["nothing", "prompt_tokens_details", "prompt_cache_hit_tokens"])
    def test_cached_tokens_repeat_the_hits_and_are_counted_once(self, without: str) -> None:
        usage = {name: value for name, value in self.USAGE.items() if name != without}
        assert counted(read("deepseek", {"model": "deepseek-v4-flash", "usage": usage})) == self.COUNTS

    def test_foundrys_reasoning_at_the_top_says_0_and_is_inside_the_completion(self) -> None:
        usage = {
            "prompt_tokens": 19,
            "total_tokens": 1739,
            "completion_tokens": 1720,
            "prompt_tokens_details": None,
        }
        for more in ({"reasoning_tokens": 0}, {"audio_prompt_tokens": 0}):
            event = read("deepseek", {"model": "deepseek-v4-pro", "usage": {**usage, **more}})
            assert counted(event) == {"input_tokens": 19, "output_tokens": 1720}
            assert not event.tags

    def test_a_stream_states_usage_in_its_last_chunk(self) -> None:
        event = merged("deepseek", [chunk(), chunk(self.USAGE, reason="stop")])
        assert (counted(event), event.status) == (self.COUNTS, "ok")

    def test_its_anthropic_interface_has_the_cache_beside_the_input(self) -> None:
        usage = {"input_tokens": 80, "cache_read_input_tokens": 896, "output_tokens": 61}
        event = read("deepseek", {"type": "message", "content": [{"text": CANARY}], "usage": usage})
        assert counted(event) == {"input_tokens": 976, "cache_read_tokens": 896, "output_tokens": 61}

    def test_more_hits_than_prompt_are_refused(self) -> None:
        usage = {"prompt_tokens": 5, "completion_tokens": 1, "prompt_cache_hit_tokens": 6}
        with pytest.raises(RejectedInput) as caught:
            read_calls("deepseek", {"usage": usage}, context=CONTEXT)
        assert caught.value.reason == "subset_exceeds_total"

    def test_it_is_told_by_hits_and_misses_of_a_model_of_its_own(self) -> None:
        assert guess_vendor({"model": "deepseek-chat", "usage": self.USAGE}) == "deepseek"
        assert guess_vendor({"model": "deepseek/deepseek-chat", "usage": self.USAGE}) == ""


class TestCerebras:
    USAGE: ClassVar[dict[str, Any]] = {
        **PLAIN,
        "prompt_tokens_details": {"cached_tokens": 100},
        "completion_tokens_details": {"accepted_prediction_tokens": 4, "reasoning_tokens": 25},
    }

    def test_time_info_is_in_seconds(self) -> None:
        times = {"queue_time": 0.00007, "prompt_time": 0.001, "completion_time": 0.005, "total_time": 0.0222}
        event = read("cerebras", completion(self.USAGE, time_info={**times, "created": 1_770_000_000}))
        assert event.duration_ms == 22.2
        assert counted(event) == {
            "input_tokens": 120,
            "cache_read_tokens": 100,
            "output_tokens": 30,
            "reasoning_tokens": 25,
        }
        assert guess_vendor(completion(self.USAGE, time_info=times)) == "cerebras"

    def test_time_info_of_a_stream_stands_in_its_last_chunk(self) -> None:
        event = merged("cerebras", [chunk(), chunk(self.USAGE, reason="stop", time_info={"total_time": 2})])
        assert (event.duration_ms, event.output_tokens) == (2000, 30)


class TestFireworks:
    @pytest.mark.parametrize(
        "told",
        [
            {"headers": {"fireworks-prompt-tokens": "120", "fireworks-cached-prompt-tokens": "75"}},
            {"headers": {"Fireworks-Cached-Prompt-Tokens": "75"}},
            {"perf_metrics": {"cached-prompt-tokens": 75}},
            {"usage": {**PLAIN, "prompt_tokens_details": {"cached_tokens": 75}}},
            {
                "usage": {**PLAIN, "prompt_tokens_details": {"cached_tokens": 75}},
                "headers": {"fireworks-cached-prompt-tokens": "75"},
            },
        ],
    )
    def test_hits_are_read_from_wherever_they_are_told_and_counted_once(self, told: dict[str, Any]) -> None:
        event = read("fireworks", {"model": "accounts/fireworks/models/glm-5p2", "usage": PLAIN, **told})
        assert counted(event) == {"input_tokens": 120, "cache_read_tokens": 75, "output_tokens": 30}

    @pytest.mark.parametrize("headers", [None, {}, {"x-request-id": CANARY}, [CANARY]])
    def test_without_them_there_were_none(self, headers: Any) -> None:
        assert read("fireworks", completion(PLAIN, headers=headers)).cache_read_tokens == 0

    def test_perf_metrics_of_a_stream_stand_in_its_last_chunk(self) -> None:
        last = chunk(PLAIN, reason="stop", perf_metrics={"cached-prompt-tokens": "75"})
        assert merged("fireworks", [chunk(), last]).cache_read_tokens == 75

    def test_the_priority_tier_has_its_own_price(self) -> None:
        assert read("fireworks", completion(PLAIN, service_tier="priority")).service_tier == "priority"

    @pytest.mark.parametrize("figure", [CANARY, "-1", "7.5", "", "9" * 40, True])
    def test_a_header_of_the_wrong_form_is_refused(self, figure: Any) -> None:
        with pytest.raises(RejectedInput) as caught:
            read_calls(
                "fireworks",
                completion(PLAIN, headers={"fireworks-cached-prompt-tokens": figure}),
                context=CONTEXT,
            )
        assert caught.value.field == "headers.fireworks-cached-prompt-tokens"
        assert CANARY not in str(caught.value)


class TestRowsOfTheTable:
    @pytest.mark.parametrize("vendor", ["together", "huggingface", "nvidia"])
    def test_cached_tokens_at_the_top_of_the_usage_are_inside_the_prompt(self, vendor: str) -> None:
        event = read(vendor, {"model": "m", "usage": {**PLAIN, "cached_tokens": 90}})
        assert counted(event) == {"input_tokens": 120, "cache_read_tokens": 90, "output_tokens": 30}

    @pytest.mark.parametrize("surface", [None, "rerank"])
    def test_a_ranking_states_a_completion_of_0(self, surface: str | None) -> None:
        usage = {"prompt_tokens": 2966, "completion_tokens": 0, "total_tokens": 2966}
        results = [{"index": 0, "relevance_score": 0.6, "document": {"text": CANARY}}]
        for body in (
            {"id": "t-1", "object": "rerank", "model": "x", "results": results, "usage": usage},
            {"model": "Salesforce/Llama-Rank-v1", "usage": usage},
        ):
            event = read("together", body, surface)
            assert (counted(event), event.operation) == ({"input_tokens": 2966}, "rerank")

    def test_nvidias_rankings_are_rankings(self) -> None:
        body = {"rankings": [{"index": 0, "logit": 1.5}], "usage": {"prompt_tokens": 9, "total_tokens": 9}}
        assert (read("nvidia", body).operation, detect("nvidia", body)) == ("rerank", "rerank")

    def test_sambanovas_times_are_seconds_within_the_usage(self) -> None:
        times = {
            "time_to_first_token": 0.13,
            "total_latency": 0.377,
            "start_time": 1731527850.7,
            "acceptance_rate": 5,
        }
        event = read("sambanova", completion({**PLAIN, **times}, created=1746852567.742961))
        assert (event.ttft_ms, event.duration_ms, event.time.year) == (130, 377, 2025)

    def test_deepinfra_states_a_cost_and_may_have_reasoning_beside_the_completion(self) -> None:
        usage = {
            "prompt_tokens": 19,
            "completion_tokens": 84,
            "total_tokens": 1184,
            "estimated_cost": 0.00041,
        }
        usage["completion_tokens_details"] = {"reasoning_tokens": 1081}
        event = read("deepinfra", {"model": "google/gemini-2.5-pro", "usage": usage})
        assert counted(event) == {"input_tokens": 19, "output_tokens": 1165, "reasoning_tokens": 1081}
        assert cost(event) == (Decimal("0.00041"), "USD")

    def test_null_details_are_no_details(self) -> None:
        body = completion(
            {**PLAIN, "prompt_tokens_details": None}, kv_transfer_params=None, prompt_logprobs=None
        )
        assert counted(read("vllm", body)) == {"input_tokens": 120, "output_tokens": 30}


class TestMeta:
    METRICS: ClassVar[list[dict[str, Any]]] = [
        {"metric": "num_completion_tokens", "value": 25, "unit": "tokens"},
        {"metric": "num_prompt_tokens", "value": 24.0, "unit": "tokens"},
        {"metric": "num_total_tokens", "value": 49, "unit": "tokens"},
    ]

    @pytest.mark.parametrize("surface", [None, "native", "chat"])
    def test_counts_stand_in_an_array_of_metrics(self, surface: str | None) -> None:
        message = {"role": "assistant", "content": {"type": "text", "text": CANARY}, "stop_reason": "stop"}
        for body in (
            {"id": "r-1", "completion_message": message, "metrics": self.METRICS},
            {"metrics": self.METRICS},
        ):
            event = read("meta", body, surface)
            assert counted(event) == {"input_tokens": 24, "output_tokens": 25}
            assert event.model == "unknown"

    def test_a_stream_states_them_in_an_event_of_their_own(self) -> None:
        started = {"id": "r-1", "event": {"event_type": "start", "delta": {"type": "text", "text": CANARY}}}
        last = {"id": "r-1", "event": {"event_type": "metrics", "delta": {}, "metrics": self.METRICS}}
        for surface in (None, "chat"):
            event = merged("meta", [started, last], surface)
            assert (event.id, event.output_tokens, event.status) == ("meta:r-1", 25, "ok")
        assert read("meta", last).input_tokens == 24
        cut_off = merged("meta", [started])
        assert (cut_off.status, cut_off.error_code) == ("cancelled", "usage_not_stated")

    def test_its_compatible_interface_is_openais(self) -> None:
        assert read("meta", completion(PLAIN)).output_tokens == 30
        assert merged("meta", [chunk(), chunk(PLAIN, reason="stop")], "chat").output_tokens == 30

    def test_a_wrong_metric_is_refused_by_its_place(self) -> None:
        for value, place in ((CANARY, "metrics.0.value"), (None, "metrics.0.value"), (-1, "metrics.0.value")):
            metrics = [{"metric": "num_prompt_tokens", "value": value}]
            with pytest.raises(RejectedInput) as caught:
                read_calls("meta", {"metrics": metrics}, context=CONTEXT)
            assert caught.value.field == place
            assert CANARY not in str(caught.value)

    def test_it_is_told_by_its_metrics(self) -> None:
        assert guess_vendor({"metrics": self.METRICS}) == "meta"


class TestOllama:
    NATIVE: ClassVar[dict[str, Any]] = {
        "model": "qwen3:1.7b",
        "created_at": "2025-12-02T08:09:27.2709359Z",
        "done": True,
        "done_reason": "stop",
        "total_duration": 20_340_585_000,
        "load_duration": 1_869_728_500,
        "prompt_eval_count": 22,
        "prompt_eval_duration": 163_005_200,
        "eval_count": 1186,
        "eval_duration": 17_930_876_800,
    }

    @pytest.mark.parametrize("surface", [None, "native", "native_chat", "chat", "generate"])
    @pytest.mark.parametrize(
        "content", [{"message": {"content": CANARY, "thinking": CANARY}}, {"response": CANARY}, {}]
    )
    def test_evaluations_are_tokens_and_nanoseconds_become_milliseconds(
        self, surface: str | None, content: dict[str, Any]
    ) -> None:
        event = read("ollama", {**self.NATIVE, **content}, surface)
        assert counted(event) == {"input_tokens": 22, "output_tokens": 1186}
        assert event.duration_ms == 20340.585
        assert event.ttft_ms == pytest.approx(2032.7337)
        assert event.time.isoformat() == "2025-12-02T08:09:27.270935+00:00"

    def test_a_prompt_that_the_cache_holds_as_a_whole_counts_0(self) -> None:
        body = {name: value for name, value in self.NATIVE.items() if name != "prompt_eval_count"}
        assert counted(read("ollama", body)) == {"output_tokens": 1186}

    def test_embeddings_have_no_output(self) -> None:
        body = {
            "model": "all-minilm",
            "embeddings": [[0.1]],
            "total_duration": 14_143_917,
            "prompt_eval_count": 8,
        }
        event = read("ollama", body)
        assert (counted(event), event.operation, event.duration_ms) == (
            {"input_tokens": 8},
            "embedding",
            14.143917,
        )

    def test_only_the_last_line_of_a_stream_has_counts(self) -> None:
        line = {"model": "qwen3:1.7b", "message": {"content": CANARY}, "done": False}
        for surface in (None, "native", "chat"):
            event = merged("ollama", [line, line, self.NATIVE], surface)
            assert (event.output_tokens, event.status) == (1186, "ok")
        cut_off = merged("ollama", [line, line])
        assert (counted(cut_off), cut_off.status, cut_off.error_code) == ({}, "cancelled", "usage_not_stated")
        with pytest.raises(RejectedInput, match="is missing"):
            read_calls("ollama", line, context=CONTEXT)

    def test_its_compatible_interface_is_openais(self) -> None:
        assert counted(read("ollama", completion(PLAIN))) == {"input_tokens": 120, "output_tokens": 30}

    def test_it_is_told_by_its_counts(self) -> None:
        assert guess_vendor(self.NATIVE) == "ollama"
