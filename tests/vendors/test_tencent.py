"""Tencent's answers: Hunyuan's own interface, the compatible one, TokenHub."""

from typing import Any

import pytest

from tests.vendors.china import CANARY, counted, found, merged, read
from tokenweir.errors import RejectedInput

USAGE = {"PromptTokens": 160, "CompletionTokens": 14, "TotalTokens": 174}


def answer(**fields: Any) -> dict[str, Any]:
    return {
        "RequestId": "e-1",
        "Note": CANARY,
        "Choices": [{"Index": 0, "Message": {"Content": CANARY}, "FinishReason": "stop"}],
        "Created": 1_770_000_000,
        "Id": "e-1",
        "Usage": USAGE,
        **fields,
    }


@pytest.mark.parametrize(
    "body",
    [{"Response": answer()}, answer(), {"Usage": USAGE}, {"Response": {"Usage": USAGE}}, {"usage": USAGE}],
)
@pytest.mark.parametrize("surface", [None, "native_api3"])
def test_the_total_is_what_is_billed_and_nothing_is_added_to_it(
    body: dict[str, Any], surface: str | None
) -> None:
    event = read("tencent", body, surface)
    assert found("tencent", body) == "native_api3"
    assert counted(event) == {"input_tokens": 160, "output_tokens": 14}
    assert event.input_tokens + event.output_tokens == USAGE["TotalTokens"]


def test_the_answers_own_id_and_the_callers_model_name_it() -> None:
    event = read("tencent", {"Response": answer()})
    assert (event.id, event.model, event.time.year) == ("tencent:e-1", "unknown", 2026)
    assert read("tencent", {"model": "hunyuan-pro", "Response": answer()}).model == "hunyuan-pro"


@pytest.mark.parametrize("cached", ["128", 128])
def test_cached_tokens_come_as_a_string(cached: Any) -> None:
    usage = {**USAGE, "PromptTokensDetails": {"CachedTokens": cached}}
    assert read("tencent", {"Response": answer(Usage=usage)}).cache_read_tokens == 128


def test_embeddings_state_no_completion() -> None:
    body = {
        "Response": {"Data": [{"Index": 0}], "Usage": {"PromptTokens": 9, "TotalTokens": 9}, "RequestId": "r"}
    }
    event = read("tencent", body)
    assert (event.operation, counted(event)) == ("embedding", {"input_tokens": 9})


def test_frames_without_envelope_tell_the_usage_so_far() -> None:
    frames = [
        answer(
            Choices=[{"Delta": {"Content": CANARY}, "FinishReason": ""}],
            Usage={**USAGE, "CompletionTokens": n},
        )
        for n in (1, 5)
    ]
    cut_off = merged("tencent", frames)
    assert (cut_off.status, cut_off.input_tokens, cut_off.output_tokens) == ("cancelled", 160, 5)
    whole = merged("tencent", [*frames, answer()])
    assert (whole.status, whole.output_tokens, whole.id) == ("ok", 14, "tencent:e-1")


def test_an_error_in_the_midst_of_a_stream_keeps_the_counts() -> None:
    event = merged("tencent", [answer(), {"ErrorMsg": {"Code": "LimitExceeded", "Msg": CANARY}}])
    assert (event.status, event.error_code, event.output_tokens) == ("rate_limited", "LimitExceeded", 14)


def test_a_sensitive_answer_is_filtered() -> None:
    body = {"Response": answer(Choices=[{"FinishReason": "sensitive"}])}
    assert read("tencent", body).status == "filtered"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"Response": {"Error": {"Code": "LimitExceeded", "Message": CANARY}, "RequestId": "r"}}, "usage"),
        ({"Usage": {"PromptTokens": CANARY}}, "Usage.PromptTokens"),
        (
            {"Response": answer(Usage={**USAGE, "PromptTokensDetails": {"CachedTokens": CANARY}})},
            "Response.Usage.PromptTokensDetails.CachedTokens",
        ),
        (
            {"Response": answer(Usage={**USAGE, "PromptTokensDetails": {"CachedTokens": "9" * 5000}})},
            "Response.Usage.PromptTokensDetails.CachedTokens",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RejectedInput) as caught:
        read("tencent", body)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)


def test_an_error_under_its_named_surface_is_refused_too() -> None:
    with pytest.raises(RejectedInput) as caught:
        read("tencent", {"Response": {"Error": {"Code": "x"}}}, "native_api3")
    assert caught.value.field == "Response.Usage"
