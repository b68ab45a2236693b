"""Answers that cannot be read are refused by the field at fault, and never quoted."""

from typing import Any

import pytest

from producers.vendors import read_answer
from tests.vendors.bodies import CANARY, CHAT, CONTEXT
from tokenweir.errors import RejectedInput


@pytest.mark.parametrize(
    ("vendor", "body", "reason", "field"),
    [
        ("openai", {"error": {"code": "x", "message": CANARY}}, "missing_field", "usage"),
        ("openai", {**CHAT, "usage": None}, "missing_field", "usage"),
        ("openai", {**CHAT, "usage": [1]}, "wrong_type", "usage"),
        (
            "openai",
            {**CHAT, "usage": {"prompt_tokens": "12", "completion_tokens": 1}},
            "wrong_type",
            "usage.prompt_tokens",
        ),
        (
            "openai",
            {**CHAT, "usage": {"prompt_tokens": -1, "completion_tokens": 1}},
            "out_of_range",
            "usage.prompt_tokens",
        ),
        (
            "openai",
            {**CHAT, "usage": {"prompt_tokens": 1.5, "completion_tokens": 1}},
            "wrong_type",
            "usage.prompt_tokens",
        ),
        (
            "openai",
            {**CHAT, "usage": {"prompt_tokens": True, "completion_tokens": 1}},
            "wrong_type",
            "usage.prompt_tokens",
        ),
        (
            "openai",
            {**CHAT, "usage": {"prompt_tokens": float("nan"), "completion_tokens": 1}},
            "wrong_type",
            "usage.prompt_tokens",
        ),
        (
            "openai",
            {**CHAT, "usage": {"prompt_tokens": 10**30, "completion_tokens": 1}},
            "out_of_range",
            "input_tokens",
        ),
        ("openai", {**CHAT, "model": 7}, "wrong_type", "model"),
        ("openai", {**CHAT, "choices": CANARY}, "wrong_type", "choices"),
        ("openai", {**CHAT, "created": "yesterday"}, "implausible_time", "created"),
        ("openai", {**CHAT, "created": 9_999_999_999_999}, "implausible_time", "created"),
        ("openai", {**CHAT, "model": "gpt\x00"}, "control_character", "model"),
        ("anthropic", {"type": "error", "error": {"message": CANARY}}, "missing_field", "usage"),
        ("anthropic", {"custom_id": "a", "result": {"type": "expired"}}, "missing_field", "result.message"),
        ("google", {"error": {"code": 404, "message": CANARY}}, "missing_field", "usageMetadata"),
        (
            "google",
            {"usageMetadata": {"totalTokenCount": 5}},
            "missing_field",
            "usageMetadata.promptTokenCount",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(
    vendor: str, body: dict[str, Any], reason: str, field: str
) -> None:
    with pytest.raises(RejectedInput) as caught:
        read_answer(vendor, body, context=CONTEXT)
    assert (caught.value.reason, caught.value.field) == (reason, field)
    assert CANARY not in str(caught.value)


def test_a_subset_larger_than_its_total_is_refused() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 6}}
    with pytest.raises(RejectedInput) as caught:
        read_answer("openai", {**CHAT, "usage": usage}, context=CONTEXT)
    assert caught.value.reason == "subset_exceeds_total"
