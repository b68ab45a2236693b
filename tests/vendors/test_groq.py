"""Groq's answers: usage stated twice, times in seconds, tiers, compound systems of several models."""

from typing import Any

import pytest

from producers.vendors import guess_vendor, read_calls, read_stream
from tests.vendors.hosts import CANARY, CONTEXT, calls, chunk, completion, counted, merged, read
from tokenweir.errors import RejectedInput

USAGE = {
    "queue_time": 0.005052002,
    "prompt_tokens": 336,
    "prompt_time": 0.56585145,
    "completion_tokens": 96,
    "completion_time": 0.574329735,
    "total_tokens": 432,
    "total_time": 1.140181185,
    "prompt_tokens_details": {"cached_tokens": 256},
    "completion_tokens_details": {"reasoning_tokens": 59},
}
COUNTS = {"input_tokens": 336, "cache_read_tokens": 256, "output_tokens": 96, "reasoning_tokens": 59}


def part(model: str, tokens_in: int, tokens_out: int) -> dict[str, Any]:
    usage = {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    return {"model": model, "usage": {**usage, "total_time": 0.5}}


@pytest.mark.parametrize("surface", [None, "chat_completions", "chat"])
def test_cache_and_reasoning_are_inside_and_seconds_become_milliseconds(surface: str | None) -> None:
    event = read("groq", {"model": "openai/gpt-oss-120b", "usage": USAGE}, surface)
    assert counted(event) == COUNTS
    assert event.duration_ms == 1140.181185


@pytest.mark.parametrize(
    ("said", "tier"),
    [("on_demand", "standard"), ("flex", "flex"), (None, "standard"), ("performance", "performance")],
)
def test_on_demand_is_the_standard_tier(said: str | None, tier: str) -> None:
    assert read("groq", completion(USAGE, service_tier=said)).service_tier == tier


def test_usage_that_is_stated_twice_in_the_last_chunk_is_counted_once() -> None:
    last = chunk(USAGE, reason="stop", x_groq={"id": "req_1", "usage": USAGE})
    for event in (merged("groq", [chunk(x_groq={"id": "req_1"}), chunk(), last]), read("groq", last)):
        assert (counted(event), event.status) == (COUNTS, "ok")


def test_a_compound_system_is_billed_as_each_of_its_models() -> None:
    breakdown = {"models": [part("llama-4", 100, 10), part("gpt-oss", 200, 20), part("llama-4", 40, 4)]}
    usage = {"prompt_tokens": 340, "completion_tokens": 34, "total_tokens": 374, "total_time": 2.5}
    body = completion(usage, id="g-1", model="groq/compound", usage_breakdown=breakdown)
    first, second = calls("groq", body)
    assert (first.model, first.requested_model, first.id) == ("llama-4", "groq/compound", "groq:g-1")
    assert (second.model, second.id) == ("gpt-oss", "groq:g-1/1")
    assert counted(first) == {"input_tokens": 140, "output_tokens": 14}
    assert counted(second) == {"input_tokens": 200, "output_tokens": 20}
    assert (first.duration_ms, second.duration_ms) == (2500, None)
    assert not first.tags


def test_a_compound_system_of_one_model_has_its_price_and_the_answers_counts() -> None:
    body = completion(
        USAGE, model="groq/compound-mini", usage_breakdown={"models": [part("gpt-oss", 336, 96)]}
    )
    event = read("groq", body)
    assert (event.model, event.requested_model) == ("gpt-oss", "groq/compound-mini")
    assert counted(event) == COUNTS


@pytest.mark.parametrize("breakdown", [None, {}, {"models": None}, {"models": []}])
def test_a_breakdown_of_nothing_changes_nothing(breakdown: Any) -> None:
    event = read("groq", completion(USAGE, usage_breakdown=breakdown))
    assert (event.model, event.requested_model, counted(event)) == ("m-1", "", COUNTS)


def test_a_streamed_compound_system_is_billed_as_each_of_its_models() -> None:
    breakdown = {"models": [part("a", 300, 90), part("b", 36, 6)]}
    last = chunk(USAGE, reason="stop", usage_breakdown=breakdown)

    events = read_stream("groq", [chunk(), last], context=CONTEXT)
    assert [(event.model, event.input_tokens) for event in events] == [("a", 300), ("b", 36)]


def test_a_stream_that_was_cut_off_before_its_usage_says_so() -> None:
    event = merged("groq", [chunk(x_groq={"id": "req_1"}), chunk()])
    assert (event.status, event.error_code) == ("cancelled", "usage_not_stated")


@pytest.mark.parametrize("time", [None, "soon", -1, [], 1e300])
def test_a_time_of_no_use_costs_nothing(time: Any) -> None:
    event = read("groq", completion({**USAGE, "total_time": time}))
    assert (event.duration_ms, counted(event)) == (None, COUNTS)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (completion({**USAGE, "prompt_tokens": CANARY}), "usage.prompt_tokens"),
        (completion(USAGE, usage_breakdown={"models": CANARY}), "usage_breakdown.models"),
        (completion(USAGE, usage_breakdown={"models": [{"usage": USAGE}]}), "usage_breakdown.models.0.model"),
        (completion(USAGE, usage_breakdown={"models": [{"model": "a"}]}), "usage_breakdown.models.0.usage"),
        (
            completion(
                USAGE, usage_breakdown={"models": [{"model": "a", "usage": {"prompt_tokens": CANARY}}]}
            ),
            "usage_breakdown.models.0.usage.prompt_tokens",
        ),
    ],
)
def test_a_wrong_figure_is_refused_by_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read_calls("groq", body, context=CONTEXT)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("surface", [None, "transcription"])
def test_a_verbose_transcription_is_billed_by_its_seconds(surface: str | None) -> None:
    body = {"task": "transcribe", "duration": 12.35, "text": CANARY, "segments": [{"text": CANARY}]}
    event = read("groq", {**body, "x_groq": {"id": "req_1"}}, surface)
    assert (event.operation, counted(event), event.id) == (
        "transcription",
        {"audio_seconds": 12.35},
        "groq:req_1",
    )
    with pytest.raises(RejectedInput):
        read_calls("groq", {"text": CANARY, "x_groq": {"id": "req_1"}}, surface=surface, context=CONTEXT)


def test_groq_is_told_by_its_own_object() -> None:
    assert guess_vendor(completion(USAGE, x_groq={"id": "req_1"})) == "groq"
