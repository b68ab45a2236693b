"""Azure: what it does otherwise than OpenAI."""

from typing import Any

import pytest

from tests.vendors.bodies import CANARY, CHAT, MESSAGE, NOW, RESPONSE, counts_of, merged, read

FILTERS = {
    "choices": [],
    "created": 0,
    "id": "",
    "model": "",
    "object": "",
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}],
}
USAGE = {"prompt_tokens": 19, "total_tokens": 1739, "completion_tokens": 1720}


def chunk(**fields: Any) -> dict[str, Any]:
    return {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-5-nano-2025-08-07", **fields}


def test_a_time_of_0_is_none() -> None:
    assert read("azure", {**CHAT, "created": 0}).time == NOW


def test_the_first_chunk_of_a_stream_says_nothing() -> None:
    said = chunk(choices=[{"delta": {"content": CANARY}, "finish_reason": None}])
    stopped = chunk(choices=[{"delta": {}, "finish_reason": "stop"}])
    told = chunk(choices=[], usage={**USAGE, "completion_tokens_details": {"reasoning_tokens": 64}})
    event = merged("azure", [FILTERS, said, stopped, told])
    assert (event.id, event.model, event.status) == ("azure:c1", "gpt-5-nano-2025-08-07", "ok")
    assert counts_of(event) == {"input_tokens": 19, "output_tokens": 1720, "reasoning_tokens": 64}
    assert merged("azure", [FILTERS, said]).status == "cancelled"


def test_a_model_router_is_billed_as_the_model_that_answered() -> None:
    event = read("azure", {**chunk(choices=[], usage=USAGE), "model": "gpt-5-nano-2025-08-07"})
    assert event.model == "gpt-5-nano-2025-08-07"


@pytest.mark.parametrize(
    "beside",
    [
        {"audio_prompt_tokens": 0},
        {"prompt_tokens_details": None, "reasoning_tokens": 0},
        {"completion_tokens_details": None},
    ],
)
def test_deepseek_on_foundry_reasons_inside_the_completion_without_counting_it(
    beside: dict[str, Any],
) -> None:
    for surface in (None, "deepseek", "chat_completions"):
        event = read("azure", {"model": "deepseek-v4-pro", "usage": {**USAGE, **beside}}, surface)
        assert counts_of(event) == {"input_tokens": 19, "output_tokens": 1720}
        assert event.tags == {}


def test_reasoning_beside_the_counts_is_inside_the_completion() -> None:
    event = read("azure", {"usage": {**USAGE, "reasoning_tokens": 300}})
    assert (event.output_tokens, event.reasoning_tokens) == (1720, 300)


def test_all_of_openais_surfaces_and_anthropics_messages_are_served() -> None:
    assert read("azure", RESPONSE).id == "azure:resp_7"
    assert read("azure", {"type": "response.completed", "response": RESPONSE}).input_tokens == 90
    message = read("azure", MESSAGE)
    assert (message.vendor, message.input_tokens, message.cache_read_tokens) == ("azure", 2410, 2000)


@pytest.mark.parametrize("name", ["azure_openai", "azure_foundry"])
def test_its_other_names_are_taken(name: str) -> None:
    event = read(name, CHAT)
    assert (event.vendor, event.id) == ("azure", "azure:chatcmpl-7")
