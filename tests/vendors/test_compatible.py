"""Hosts that answer as OpenAI does: what all of them have in common, and vendors that have no reader of their own."""

from typing import Any

import pytest

from producers.vendors import detect, read_calls, read_stream, surfaces, vendors
from tests.vendors.hosts import CANARY, CONTEXT, NOW, chunk, completion, counted, merged, read
from tokenweir.errors import RejectedInput, WrongCall

OURS = (
    "cerebras",
    "deepseek",
    "fireworks",
    "groq",
    "huggingface",
    "meta",
    "mistral",
    "nvidia",
    "ollama",
    "openrouter",
    "perplexity",
    "together",
    "vllm",
    "xai",
)
PLAIN = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}
MESSAGE = {
    "input_tokens": 3,
    "cache_read_input_tokens": 2074,
    "cache_creation_input_tokens": 297,
    "output_tokens": 61,
}
RESPONSE = {
    "input_tokens": 90,
    "input_tokens_details": {"cached_tokens": 10},
    "output_tokens": 15,
    "output_tokens_details": {"reasoning_tokens": 7},
    "total_tokens": 105,
}


@pytest.mark.parametrize("vendor", [*OURS, "nebius"])
@pytest.mark.parametrize("surface", [None, "chat_completions", "chat", "openai_compat", "completions"])
@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "usage": PLAIN},
        {"usage": PLAIN},
        completion(PLAIN),
        completion(
            {**PLAIN, "prompt_tokens_details": None, "completion_tokens_details": None}, service_tier=None
        ),
        {
            "id": None,
            "model": "m",
            "created": None,
            "choices": None,
            "error": None,
            "usage": PLAIN,
            "new": {"a": []},
        },
    ],
)
def test_model_and_usage_are_enough(vendor: str, surface: str | None, body: dict[str, Any]) -> None:
    event = read(vendor, body, surface)
    assert counted(event) == {"input_tokens": 120, "output_tokens": 30}
    assert (event.vendor, event.operation, event.status) == (vendor, "chat", "ok")


@pytest.mark.parametrize("vendor", [*OURS, "nebius"])
@pytest.mark.parametrize(
    ("surface", "body", "counts", "operation"),
    [
        ("embeddings", {"usage": {"prompt_tokens": 4, "total_tokens": 4}}, {"input_tokens": 4}, "embedding"),
        ("embeddings", {"usage": {"total_tokens": 4}}, {"input_tokens": 4}, "embedding"),
        (
            "embeddings",
            {"model": "x-embed-2", "usage": {"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4}},
            {"input_tokens": 4},
            "embedding",
        ),
        (
            "embeddings",
            {"data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 4, "completion_tokens": 0}},
            {"input_tokens": 4},
            "embedding",
        ),
        (
            "rerank",
            {"model": "x-rerank-1", "usage": {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}},
            {"input_tokens": 9},
            "rerank",
        ),
        (
            "rerank",
            {"results": [{"relevance_score": 0.1}], "usage": {"total_tokens": 9}},
            {"input_tokens": 9},
            "rerank",
        ),
        (
            "responses",
            {"model": "m", "usage": RESPONSE},
            {"input_tokens": 90, "cache_read_tokens": 10, "output_tokens": 15, "reasoning_tokens": 7},
            "chat",
        ),
        (
            "messages",
            {"model": "m", "usage": MESSAGE},
            {
                "input_tokens": 2374,
                "cache_read_tokens": 2074,
                "cache_write_tokens": 297,
                "output_tokens": 61,
            },
            "chat",
        ),
    ],
)
def test_the_surface_is_found_from_the_usage_alone(
    vendor: str, surface: str, body: dict[str, Any], counts: dict[str, Any], operation: str
) -> None:
    for named in (None, surface, "openai_compat"):
        event = read(vendor, body, named)
        assert (counted(event), event.operation) == (counts, operation)
    assert detect(vendor, body) == surface


@pytest.mark.parametrize("vendor", ["openrouter", "vllm", "nebius"])
def test_a_usage_object_alone_is_read(vendor: str) -> None:
    assert counted(read(vendor, PLAIN)) == {"input_tokens": 120, "output_tokens": 30}
    assert counted(read(vendor, RESPONSE))["reasoning_tokens"] == 7


@pytest.mark.parametrize("vendor", ["groq", "xai", "nebius"])
def test_the_line_of_a_batch_is_at_the_batch_price(vendor: str) -> None:
    line = {"custom_id": "1", "response": {"status_code": 200, "body": completion(PLAIN)}, "error": None}
    event = read(vendor, line)
    assert (event.service_tier, event.output_tokens) == ("batch", 30)


@pytest.mark.parametrize("usage_at", ["usage", "x_groq", "choice"])
@pytest.mark.parametrize("vendor", ["groq", "nebius"])
def test_usage_is_found_wherever_a_host_puts_it(vendor: str, usage_at: str) -> None:
    last = chunk(PLAIN, reason="stop")
    if usage_at != "usage":
        del last["usage"]
    if usage_at == "x_groq":
        last["x_groq"] = {"id": "r", "usage": PLAIN}
    if usage_at == "choice":
        last["choices"][0]["usage"] = PLAIN
    for event in (read(vendor, last), merged(vendor, [chunk(), last])):
        assert counted(event) == {"input_tokens": 120, "output_tokens": 30}
        assert (event.id, event.status) == (f"{vendor}:c-1", "ok")


def test_continuous_usage_is_cumulative_and_never_summed() -> None:
    totals = [
        {
            "prompt_tokens": 36,
            "completion_tokens": done,
            "total_tokens": 36 + done,
            "prompt_tokens_details": None,
        }
        for done in range(1, 9)
    ]
    whole = merged("vllm", [*map(chunk, totals), chunk(totals[-1], reason="stop")])
    assert (counted(whole), whole.status) == ({"input_tokens": 36, "output_tokens": 8}, "ok")
    cut_off = merged("vllm", [*map(chunk, totals[:5])])
    assert counted(cut_off) == {"input_tokens": 36, "output_tokens": 5}
    assert (cut_off.status, cut_off.error_code) == ("cancelled", "stream_cut_off")


def test_usage_in_a_chunk_of_its_own_ends_a_stream() -> None:
    event = merged("vllm", [chunk(), chunk(PLAIN, choices=[])])
    assert (event.output_tokens, event.status) == (30, "ok")


@pytest.mark.parametrize("vendor", ["together", "nebius"])
def test_a_stream_that_ended_before_its_usage_is_counted_and_says_so(vendor: str) -> None:
    event = merged(vendor, [chunk(), chunk()])
    assert (counted(event), event.status, event.error_code) == ({}, "cancelled", "usage_not_stated")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ({"code": 429, "message": CANARY}, "rate_limited", "429"),
        ({"code": 502, "message": CANARY}, "error", "502"),
        ({"message": CANARY, "code": CANARY}, "error", ""),
    ],
)
def test_an_error_after_the_answer_began_is_told(error: dict[str, Any], status: str, code: str) -> None:
    for event in (
        read("openrouter", completion(PLAIN, error=error)),
        merged("openrouter", [chunk(), chunk(PLAIN, error=error, reason="error")]),
    ):
        assert (event.status, event.error_code, event.output_tokens) == (status, code, 30)


def test_a_filtered_answer_is_told() -> None:
    choices = [{"finish_reason": "content_filter", "message": {"content": CANARY}}]
    assert read("together", completion(PLAIN, choices=choices)).status == "filtered"


def test_streamed_responses_and_messages_are_merged() -> None:
    events = [
        {"type": "response.created", "response": {"id": "r-1", "model": "m", "usage": None}},
        {"type": "response.output_text.delta", "delta": CANARY},
        {"type": "response.completed", "response": {"id": "r-1", "model": "m", "usage": RESPONSE}},
    ]
    whole = merged("fireworks", events)
    assert (whole.id, whole.output_tokens, whole.status) == ("fireworks:r-1", 15, "ok")
    assert read("fireworks", events[-1]).output_tokens == 15
    assert merged("fireworks", events[:2]).error_code == "usage_not_stated"
    message = {"id": "msg-1", "type": "message", "model": "m", "usage": {**MESSAGE, "output_tokens": 1}}
    started = {"type": "message_start", "message": message}
    ended = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 61}}
    event = merged("openrouter", [started, ended, {"type": "message_stop"}])
    assert (event.input_tokens, event.output_tokens, event.status) == (2374, 61, "ok")
    assert merged("openrouter", [started]).status == "cancelled"


class TestAnyVendor:
    """`--vendor anything` whose body is of a known shape."""

    @pytest.mark.parametrize(
        "usage",
        [
            {
                "prompt_tokens_details": {"cached_tokens": 40},
                "completion_tokens_details": {"reasoning_tokens": 9},
            },
            {"prompt_cache_hit_tokens": 40, "prompt_cache_miss_tokens": 80, "reasoning_tokens": 9},
            {"cached_tokens": 40, "reasoning_tokens": 9},
            {"num_cached_tokens": 40, "completion_tokens_details": {"reasoning_tokens": 9}},
        ],
    )
    def test_every_known_spelling_of_a_subset_is_read(self, usage: dict[str, Any]) -> None:
        event = read("nebius", {"model": "m", "usage": {**PLAIN, **usage}})
        assert counted(event) == {
            "input_tokens": 120,
            "cache_read_tokens": 40,
            "output_tokens": 30,
            "reasoning_tokens": 9,
        }

    def test_the_total_tells_whether_reasoning_stands_beside_the_completion(self) -> None:
        usage = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 354, "reasoning_tokens": 340}
        event = read("nebius", {"model": "m", "usage": usage})
        assert counted(event) == {"input_tokens": 12, "output_tokens": 342, "reasoning_tokens": 340}

    def test_it_is_no_listed_surface_of_another_vendor(self) -> None:
        assert set(surfaces("nebius")) == set(surfaces("openai_compatible"))
        assert "nebius" not in vendors()
        assert set(OURS) <= set(vendors())

    @pytest.mark.parametrize(
        "body", [{}, {"model": "m"}, {"usage": {}}, {"usage": {"tokens": 5}}, {"done": True}]
    )
    def test_an_unknown_shape_of_an_unknown_vendor_names_both(self, body: dict[str, Any]) -> None:
        with pytest.raises(RejectedInput, match="no reader for 'nebius', and this is of no shape") as caught:
            read_calls("nebius", body, context=CONTEXT)
        assert (caught.value.field, caught.value.reason) == ("usage", "missing_field")

    @pytest.mark.parametrize(
        ("mistyped", "meant"), [("mistal", "mistral"), ("deepsek", "deepseek"), ("opnai", "openai")]
    )
    def test_a_known_name_mistyped_is_not_taken_for_another_vendor(self, mistyped: str, meant: str) -> None:
        with pytest.raises(WrongCall, match=f"Did you mean {meant}"):
            read_calls(mistyped, {"usage": PLAIN}, context=CONTEXT)

    def test_chunks_of_no_known_stream_are_refused(self) -> None:
        with pytest.raises(RejectedInput, match="no chunks of a stream of nebius"):
            read_stream("nebius", [{"token": CANARY}], context=CONTEXT)


def test_an_answer_without_time_has_the_callers() -> None:
    assert read("vllm", {"model": "m", "usage": PLAIN}).time == NOW
