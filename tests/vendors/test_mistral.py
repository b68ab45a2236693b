"""Mistral's answers: three spellings of the cache, audio, pages, conversations with connectors, streams."""

from typing import Any

import pytest

from producers.vendors import detect, guess_vendor, read_calls
from tests.vendors.hosts import CANARY, CONTEXT, chunk, completion, counted, merged, read
from tokenweir.errors import RejectedInput

USAGE = {"prompt_tokens": 171, "completion_tokens": 14, "total_tokens": 185}
TRANSCRIPTION = {
    "prompt_audio_seconds": 36,
    "prompt_tokens": 13,
    "completion_tokens": 151,
    "total_tokens": 164,
    "request_count": 1,
}
CONVERSATION = {
    "prompt_tokens": 188,
    "completion_tokens": 55,
    "connector_tokens": 7112,
    "total_tokens": 7355,
    "connectors": {"web_search": 2, "code_interpreter": 1, "acme.crm": 3},
}
OUTPUTS = [
    {"type": "tool.execution", "name": "web_search", "arguments": CANARY},
    {"type": "message.output", "model": "mistral-medium-2505", "content": CANARY},
]


@pytest.mark.parametrize(
    "cached",
    [
        {"prompt_tokens_details": {"cached_tokens": 128}},
        {"prompt_token_details": {"cached_tokens": 128}},
        {"num_cached_tokens": 128},
        {"prompt_tokens_details": None, "num_cached_tokens": 128},
    ],
)
@pytest.mark.parametrize("surface", [None, "chat_completions", "chat"])
def test_cached_tokens_are_inside_the_prompt_under_each_spelling(
    cached: dict[str, Any], surface: str | None
) -> None:
    event = read("mistral", {"model": "mistral-large-latest", "usage": {**USAGE, **cached}}, surface)
    assert counted(event) == {"input_tokens": 171, "cache_read_tokens": 128, "output_tokens": 14}


def test_the_tier_stands_in_the_usage_object() -> None:
    assert read("mistral", {"usage": {**USAGE, "service_tier": "priority"}}).service_tier == "priority"
    assert read("mistral", {"usage": {**USAGE, "service_tier": None}}).service_tier == "standard"


def test_audio_in_a_chat_is_billed_by_its_seconds_too() -> None:
    event = read("mistral", completion({**USAGE, "prompt_audio_seconds": 7}))
    assert (event.operation, event.units) == ("chat", {"audio_seconds": 7})
    for none in (None, 0, {}):
        assert read("mistral", completion({**USAGE, "prompt_audio_seconds": none})).units == {}


@pytest.mark.parametrize(
    "body",
    [
        {
            "model": "voxtral-mini-latest",
            "text": CANARY,
            "segments": [{"text": CANARY}],
            "usage": TRANSCRIPTION,
        },
        {"model": "voxtral-mini-latest", "usage": TRANSCRIPTION},
    ],
)
@pytest.mark.parametrize("surface", [None, "transcription", "audio_transcriptions"])
def test_a_transcription_is_billed_by_seconds_of_audio(body: dict[str, Any], surface: str | None) -> None:
    event = read("mistral", body, surface)
    assert counted(event) == {"input_tokens": 13, "output_tokens": 151, "audio_seconds": 36}
    assert (event.operation, event.model) == ("transcription", "voxtral-mini-latest")


@pytest.mark.parametrize("surface", [None, "ocr"])
def test_a_document_is_billed_by_its_pages(surface: str | None) -> None:
    usage = {"pages_processed": 3, "doc_size_bytes": 12345}
    event = read("mistral", {"model": "mistral-ocr-2505", "usage_info": usage}, surface)
    assert (counted(event), event.operation) == ({"document_pages": 3}, "ocr")


@pytest.mark.parametrize(
    "annotated",
    [
        {"document_annotation": CANARY},
        {"pages": [{"markdown": CANARY, "images": [{"image_annotation": CANARY}]}]},
    ],
)
def test_an_annotated_document_has_its_own_price(annotated: dict[str, Any]) -> None:
    event = read("mistral", {"model": "mistral-ocr-2505", "usage_info": {"pages_processed": 3}, **annotated})
    assert counted(event) == {"document_pages": 3, "annotated_document_pages": 3}


@pytest.mark.parametrize("surface", [None, "conversations", "conversation"])
def test_what_connectors_read_is_input_beside_the_prompt_and_their_calls_are_units(
    surface: str | None,
) -> None:
    body = {
        "object": "conversation.response",
        "conversation_id": "conv-1",
        "outputs": OUTPUTS,
        "usage": CONVERSATION,
    }
    event = read("mistral", body, surface)
    assert counted(event) == {
        "input_tokens": 7300,
        "output_tokens": 55,
        "web_searches": 2,
        "code_interpreter_calls": 1,
        "connector_calls": 3,
    }
    assert event.model == "mistral-medium-2505"
    assert not event.tags


def test_two_turns_of_a_conversation_are_two_calls() -> None:
    body = {
        "object": "conversation.response",
        "conversation_id": "conv-1",
        "outputs": [],
        "usage": CONVERSATION,
    }
    assert read("mistral", body).id != read("mistral", body).id


def test_connector_tokens_that_the_total_does_not_hold_are_inside_the_prompt() -> None:
    usage = {**CONVERSATION, "prompt_tokens": 7300}
    assert read("mistral", {"usage": usage}).input_tokens == 7300


def test_embeddings_state_a_completion_of_0() -> None:
    usage = {"prompt_tokens": 15, "completion_tokens": 0, "total_tokens": 15}
    body = {"object": "list", "model": "mistral-embed", "data": [{"embedding": [0.1]}], "usage": usage}
    event = read("mistral", body)
    assert (counted(event), event.operation) == ({"input_tokens": 15}, "embedding")
    assert detect("mistral", {"model": "codestral-embed", "usage": usage}) == "embeddings"


def test_streams_of_the_wire_and_of_the_client_are_merged() -> None:
    chunks = [chunk(), chunk(), chunk({**USAGE, "num_cached_tokens": 128}, reason="stop")]
    for streamed in (chunks, [{"data": one} for one in chunks]):
        event = merged("mistral", streamed)
        assert counted(event) == {"input_tokens": 171, "cache_read_tokens": 128, "output_tokens": 14}
        assert (event.id, event.status) == ("mistral:c-1", "ok")
    cut_off = merged("mistral", chunks[:2])
    assert (cut_off.status, cut_off.error_code) == ("cancelled", "usage_not_stated")


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_last_event_of_a_conversation_or_a_transcription_states_the_usage(wrapped: bool) -> None:
    def streamed(*events: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"event": event["type"], "data": event} for event in events] if wrapped else list(events)

    done = {"type": "conversation.response.done", "usage": CONVERSATION, "created_at": "2026-11-01T10:00:00Z"}
    event = merged(
        "mistral", streamed({"type": "conversation.response.started", "conversation_id": "c"}, done)
    )
    assert (event.input_tokens, event.time.day, event.status) == (7300, 1, "ok")
    done = {
        "type": "transcription.done",
        "model": "voxtral-mini-latest",
        "text": CANARY,
        "usage": TRANSCRIPTION,
    }
    event = merged("mistral", streamed({"type": "transcription.text.delta", "text": CANARY}, done))
    assert (event.operation, event.units) == ("transcription", {"audio_seconds": 36})
    assert read("mistral", done).operation == "transcription"


def test_a_conversation_that_was_cut_off_is_counted_and_says_so() -> None:
    event = merged("mistral", [{"type": "conversation.response.started", "conversation_id": "c"}])
    assert (counted(event), event.status, event.error_code) == ({}, "cancelled", "usage_not_stated")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"usage": {**USAGE, "num_cached_tokens": CANARY}}, "usage.num_cached_tokens"),
        ({"usage": {**USAGE, "prompt_audio_seconds": CANARY}}, "usage.prompt_audio_seconds"),
        ({"usage_info": {"pages_processed": CANARY}}, "usage_info.pages_processed"),
        ({"usage": {**CONVERSATION, "connectors": {CANARY: -1}}}, "usage.connectors.calls"),
        ({"usage": {**CONVERSATION, "connectors": [CANARY]}}, "usage.connectors"),
    ],
)
def test_a_wrong_figure_is_refused_by_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read_calls("mistral", body, context=CONTEXT)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "vendor"),
    [
        ("mistral-large-2411", "mistral"),
        ("open-mixtral-8x22b-2404", "mistral"),
        ("pixtral-12b-latest", "mistral"),
        ("mistral-small:24b", ""),
        ("mistralai/mistral-small-2506", ""),
        ("mistral-7b-instruct", ""),
    ],
)
def test_mistral_is_told_by_a_dated_model_of_its_own(model: str, vendor: str) -> None:
    assert guess_vendor({"model": model, "usage": USAGE}) == vendor
