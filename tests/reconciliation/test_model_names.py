"""One model under several spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.reconciliation.model_names import common_names, family, plain_name


@pytest.mark.parametrize(
    ("spelled", "plain", "of_family"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "gpt-4o"),
        ("GPT-4o", "gpt-4o", "gpt-4o"),
        ("openai/gpt-4.1-2025-04-14", "gpt-4.1-2025-04-14", "gpt-4.1"),
        ("Claude Sonnet 4", "claude-sonnet-4", "claude-sonnet-4"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-sonnet-4@20250514", "claude-sonnet-4@20250514", "claude-sonnet-4"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku-20240307", "claude-3-haiku"),
        ("mistral-large-latest::mistral-large-2411", "mistral-large-2411", "mistral-large"),
        ("mistral-large-latest", "mistral-large", "mistral-large"),
        ("doubao-seed-1-6-lite-251015", "doubao-seed-1-6-lite-251015", "doubao-seed-1-6-lite"),
        ("accounts/fireworks/models/llama-v3p1-8b", "llama-v3p1-8b", "llama-v3p1-8b"),
        ("publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash", "gemini-2.5-flash"),
        (
            "models/gemini-2.5-flash-preview-05-20",
            "gemini-2.5-flash-preview-05-20",
            "gemini-2.5-flash-preview",
        ),
        (
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "llama-3.3-70b-instruct-turbo",
            "llama-3.3-70b-instruct-turbo",
        ),
        ("qwen-plus-2025-12-01", "qwen-plus-2025-12-01", "qwen-plus"),
        ("o3", "o3", "o3"),
        ("grok-4-0709", "grok-4-0709", "grok-4-0709"),
        ("", "", ""),
    ],
)
def test_names(spelled: str, plain: str, of_family: str) -> None:
    assert (plain_name(spelled), family(spelled)) == (plain, of_family)


@given(st.text(max_size=40))
def test_a_plain_name_is_plain(text: str) -> None:
    assert plain_name(plain_name(plain_name(plain_name(text)))) == plain_name(plain_name(plain_name(text)))


def test_snapshots_are_told_apart_while_both_sides_name_them() -> None:
    both = ["gpt-4o-2024-08-06", "gpt-4o-2024-11-20"]
    assert {*common_names(both, both).values()} == {*both}


def test_an_alias_on_one_side_is_the_family() -> None:
    names = common_names(["gpt-4o-2024-08-06", "GPT-4o"], ["gpt-4o-2024-08-06"])
    assert {*names.values()} == {"gpt-4o"}
    names = common_names(["mistral-large-2411"], ["mistral-large-latest"])
    assert {*names.values()} == {"mistral-large"}
