"""AWS Bedrock: Converse's two spellings, InvokeModel's bodies and headers, streams, the OpenAI-compatible endpoint."""

from typing import Any, ClassVar

import pytest

from producers.vendors import detect, guess_vendor, read_answer
from tests.vendors.bodies import CANARY, CHAT, CONTEXT, MESSAGE, RESPONSE, counts_of, merged, read, units_of
from tokenweir.errors import RejectedInput

USAGE = {
    "inputTokens": 3,
    "outputTokens": 61,
    "totalTokens": 2435,
    "cacheReadInputTokens": 2074,
    "cacheReadInputTokenCount": 2074,
    "cacheWriteInputTokens": 297,
    "cacheWriteInputTokenCount": 297,
    "cacheDetails": [{"inputTokens": 200, "ttl": "5m"}, {"inputTokens": 97, "ttl": "1h"}],
    "serverToolUsage": {},
}
CONVERSE: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [{"text": CANARY}]}},
    "stopReason": "end_turn",
    "usage": USAGE,
    "metrics": {"latencyMs": 3447},
}
COUNTED = {
    "input_tokens": 2374,
    "cache_read_tokens": 2074,
    "cache_write_tokens": 297,
    "cache_write_1h_tokens": 97,
    "output_tokens": 61,
}
HEADERS = {
    "x-amzn-requestid": "696bc8dc",
    "x-amzn-bedrock-invocation-latency": "79",
    "x-amzn-bedrock-input-token-count": "3",
    "x-amzn-bedrock-output-token-count": "1944",
    "x-amzn-bedrock-cache-read-input-token-count": "9511",
    "x-amzn-bedrock-cache-write-input-token-count": "10",
}


class TestConverse:
    @pytest.mark.parametrize("surface", [None, "converse"])
    def test_the_cache_is_outside_the_input_and_the_total_is_their_sum(self, surface: str | None) -> None:
        event = read("aws", CONVERSE, surface)
        assert (counts_of(event), event.duration_ms, event.tags) == (COUNTED, 3447, {})

    @pytest.mark.parametrize("spelling", ["InputTokens", "InputTokenCount"])
    def test_either_spelling_of_the_cache_is_counted_once(self, spelling: str) -> None:
        usage = {name: value for name, value in USAGE.items() if not name.startswith("cache")}
        usage |= {f"cacheRead{spelling}": 2074, f"cacheWrite{spelling}": 297}
        event = read("aws", {"usage": usage})
        assert (event.input_tokens, event.cache_read_tokens, event.cache_write_tokens) == (2374, 2074, 297)

    def test_usage_alone_is_enough(self) -> None:
        event = read("aws", {"usage": {"inputTokens": 40, "outputTokens": 302, "totalTokens": 342}})
        assert (event.vendor, event.model) == ("aws", "unknown")
        assert counts_of(event) == {"input_tokens": 40, "output_tokens": 302}

    def test_a_prompt_router_names_the_model_that_it_chose(self) -> None:
        arn = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-haiku-4-5-v1:0"
        body = {**CONVERSE, "trace": {"promptRouter": {"invokedModelId": arn}}}
        event = read("aws", body)
        assert (event.model, event.region) == ("eu.anthropic.claude-haiku-4-5-v1:0", "eu-west-1")

    def test_the_request_id_of_boto3_names_the_call(self) -> None:
        metadata = {"RequestId": "req-1", "HTTPHeaders": {"content-type": "application/json"}}
        assert read("aws", {**CONVERSE, "ResponseMetadata": metadata}).id == "aws:req-1"

    @pytest.mark.parametrize(
        ("said", "tier"),
        [
            ({"serviceTier": {"type": "priority"}}, "priority"),
            ({"serviceTier": {"type": "default"}}, "standard"),
            ({"performanceConfig": {"latency": "optimized"}}, "optimized"),
            ({"performanceConfig": {"latency": "standard"}}, "standard"),
        ],
    )
    def test_the_tier(self, said: dict[str, Any], tier: str) -> None:
        assert read("aws", {**CONVERSE, **said}).service_tier == tier

    def test_a_guardrail_filters(self) -> None:
        assert read("aws", {**CONVERSE, "stopReason": "guardrail_intervened"}).status == "filtered"


class TestConverseStream:
    SAID: ClassVar = {"contentBlockDelta": {"delta": {"text": CANARY}, "contentBlockIndex": 0}}
    ENDED: ClassVar = {"metadata": {"usage": USAGE, "metrics": {"latencyMs": 2281}}}

    def test_the_metadata_event_tells_the_usage(self) -> None:
        stop = {"messageStop": {"stopReason": "end_turn"}}
        event = merged("aws", [{"messageStart": {"role": "assistant"}}, self.SAID, stop, self.ENDED])
        assert (counts_of(event), event.duration_ms, event.status) == (COUNTED, 2281, "ok")

    @pytest.mark.parametrize("surface", [None, "converse_stream", "converse"])
    def test_the_metadata_event_by_itself_is_a_call(self, surface: str | None) -> None:
        assert counts_of(read("aws", self.ENDED, surface)) == COUNTED

    def test_a_stream_that_was_cut_off_says_so(self) -> None:
        event = merged("aws", [{"messageStart": {"role": "assistant"}}, self.SAID])
        assert (event.status, event.error_code) == ("cancelled", "usage_not_stated")

    def test_an_exception_in_the_middle_ends_it(self) -> None:
        event = merged("aws", [self.SAID, {"throttlingException": {"message": CANARY}}])
        assert (event.status, event.error_code) == ("rate_limited", "throttlingException")


class TestInvokeModel:
    @pytest.mark.parametrize(
        ("body", "counts"),
        [
            ({"generation": CANARY, "prompt_token_count": 12, "generation_token_count": 34}, (12, 34)),
            (
                {
                    "inputTextTokenCount": 5,
                    "results": [{"tokenCount": 7, "outputText": CANARY}, {"tokenCount": 1}],
                },
                (5, 8),
            ),
            ({"outputText": CANARY, "inputTextTokenCount": 5, "totalOutputTextTokenCount": 9}, (5, 9)),
            ({"embedding": [0.1], "inputTextTokenCount": 8}, (8, 0)),
            ({"output": {}, "usage": {"inputTokens": 4, "outputTokens": 6}}, (4, 6)),
            ({"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 6}}, (4, 6)),
            ({"text": CANARY, "meta": {"billed_units": {"input_tokens": 4.0, "output_tokens": 6.0}}}, (4, 6)),
        ],
        ids=["llama", "titan", "titan stream", "titan embedding", "nova", "mistral", "cohere"],
    )
    @pytest.mark.parametrize("surface", [None, "invoke_model"])
    def test_each_makers_body_is_read(
        self, body: dict[str, Any], counts: tuple[int, int], surface: str | None
    ) -> None:
        event = read("aws", body, surface)
        assert (event.vendor, event.input_tokens, event.output_tokens) == ("aws", *counts)

    def test_a_titan_embedding_is_one(self) -> None:
        assert read("aws", {"embedding": [0.1], "inputTextTokenCount": 8}).operation == "embedding"

    def test_claudes_body_has_its_cache_outside(self) -> None:
        event = read("aws", {**MESSAGE, "id": "msg_bdrk_1"})
        assert (event.id, event.input_tokens, event.cache_write_1h_tokens) == ("aws:msg_bdrk_1", 2410, 100)

    def test_pictures_are_counted(self) -> None:
        assert units_of(read("aws", {"images": [CANARY, CANARY]})) == {"images": 2}

    @pytest.mark.parametrize("surface", [None, "invoke_model_headers"])
    def test_headers_alone_tell_the_counts_without_the_cache_in_the_input(self, surface: str | None) -> None:
        event = read("aws", HEADERS, surface)
        assert counts_of(event) == {
            "input_tokens": 9524,
            "cache_read_tokens": 9511,
            "cache_write_tokens": 10,
            "output_tokens": 1944,
        }
        assert (event.id, event.duration_ms, event.operation) == ("aws:696bc8dc", 79, "chat")

    def test_headers_without_output_are_of_an_embedding(self) -> None:
        event = read("aws", {"x-amzn-bedrock-input-token-count": "4"})
        assert (event.operation, counts_of(event)) == ("embedding", {"input_tokens": 4})

    def test_headers_name_the_call_and_the_body_counts_it(self) -> None:
        event = read("aws", {"headers": HEADERS, "body": {**MESSAGE, "id": "msg_bdrk_1"}})
        assert (event.id, event.input_tokens, event.duration_ms) == ("aws:696bc8dc", 2410, 79)

    def test_headers_count_a_body_that_states_nothing(self) -> None:
        for found in ({"headers": HEADERS, "body": {"outputs": [{"text": CANARY}]}},):
            assert read("aws", found).input_tokens == 9524
        boto3 = {"ResponseMetadata": {"RequestId": "r", "HTTPHeaders": HEADERS}, "contentType": "x"}
        assert read("aws", boto3).output_tokens == 1944

    def test_a_header_that_is_no_number_is_refused_by_its_name(self) -> None:
        name = "x-amzn-bedrock-input-token-count"
        with pytest.raises(RejectedInput) as caught:
            read_answer("aws", {name: CANARY}, context=CONTEXT)
        assert (caught.value.reason, caught.value.field) == ("wrong_type", name)
        assert CANARY not in str(caught.value)

    def test_a_body_without_counts_or_headers_is_refused(self) -> None:
        with pytest.raises(RejectedInput) as caught:
            read_answer("aws", {"outputs": [{"text": CANARY}]}, surface="invoke_model", context=CONTEXT)
        assert caught.value.field == "usage"


class TestInvokeModelStream:
    METRICS: ClassVar = {
        "inputTokenCount": 3,
        "outputTokenCount": 50,
        "invocationLatency": 900,
        "firstByteLatency": 120,
        "cacheReadInputTokenCount": 100,
    }

    def test_the_metrics_of_the_last_chunk_tell_the_counts(self) -> None:
        event = merged(
            "aws", [{"outputs": [{"text": CANARY}]}, {"amazon-bedrock-invocationMetrics": self.METRICS}]
        )
        assert counts_of(event) == {"input_tokens": 103, "cache_read_tokens": 100, "output_tokens": 50}
        assert (event.duration_ms, event.ttft_ms, event.status) == (900, 120, "ok")

    def test_claudes_own_events_tell_more_and_the_metrics_the_times(self) -> None:
        start = {"type": "message_start", "message": {**MESSAGE, "content": []}}
        delta = {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 80},
        }
        stop = {"type": "message_stop", "amazon-bedrock-invocationMetrics": self.METRICS}
        event = merged("aws", [start, delta, stop])
        assert (event.input_tokens, event.cache_write_1h_tokens, event.output_tokens) == (2410, 100, 80)
        assert (event.ttft_ms, event.status) == (120, "ok")
        cut_off = merged("aws", [start])
        assert (cut_off.input_tokens, cut_off.status) == (2410, "cancelled")

    def test_llamas_last_chunk_has_counts_of_its_own(self) -> None:
        first = {"generation": CANARY, "prompt_token_count": 12, "generation_token_count": 1}
        last = {"generation": "", "prompt_token_count": None, "generation_token_count": 34}
        metrics = {"amazon-bedrock-invocationMetrics": {**self.METRICS, "inputTokenCount": 12}}
        event = merged("aws", [first, {**last, "prompt_token_count": 12, **metrics}])
        assert (event.input_tokens, event.output_tokens) == (12, 34)


class TestMantle:
    @pytest.mark.parametrize("surface", [None, "mantle_openai_responses", "responses"])
    def test_the_cache_is_inside_unlike_in_converse(self, surface: str | None) -> None:
        event = read("aws", {**RESPONSE, "model": "openai.gpt-5.5"}, surface)
        assert (event.vendor, event.input_tokens, event.cache_read_tokens) == ("aws", 90, 60)

    def test_chat_completions_and_their_stream(self) -> None:
        assert read("aws", CHAT).input_tokens == 1000
        chunk = {"id": "c", "model": "m", "choices": [], "usage": CHAT["usage"]}
        assert merged("aws", [chunk]).output_tokens == 300


@pytest.mark.parametrize("name", ["aws_bedrock", "bedrock"])
def test_its_other_names_are_taken(name: str) -> None:
    assert (read(name, CONVERSE).vendor, detect(name, CONVERSE)) == ("aws", "converse")


@pytest.mark.parametrize(
    ("body", "vendor"),
    [
        (CONVERSE, "aws"),
        (HEADERS, "aws"),
        ({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 1}}, "aws"),
        ({"usage": {"inputTokens": 1, "outputTokens": 2}}, ""),
        ({"prompt_token_count": 1, "generation_token_count": 2}, ""),
    ],
)
def test_it_is_guessed_only_by_what_is_bedrocks_alone(body: dict[str, Any], vendor: str) -> None:
    assert guess_vendor(body) == vendor
