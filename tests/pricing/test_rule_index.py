"""Rules found by the names they mean: the same ones as when every rule is held against the name."""

import re
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenweir.pricing.matching import Match
from tokenweir.pricing.rule_index import Anchor, RuleIndex, anchors_of

letters = st.text("ab-.", max_size=6)
plain = st.builds(Match, st.sampled_from(["equals", "starts_with", "ends_with", "contains"]), letters)
pieces = st.sampled_from(
    [
        "a",
        "b",
        "-",
        r"\.",
        ".",
        r"\d",
        r"\w",
        "[ab]",
        "[^]a]",
        "(a|b)",
        "(?:ab)",
        "(a(b|-))",
        "b{2}",
        "a{0,1}",
    ]
)
repeats = st.sampled_from(["", "", "", "?", "*", "+", "*?", "+?"])


@st.composite
def expressions(draw: st.DrawFn) -> Match:
    parts = draw(st.lists(st.tuples(pieces, repeats), max_size=5))
    body = "".join(piece if piece.endswith("}") else piece + repeat for piece, repeat in parts)
    alternative = draw(st.sampled_from(["", "", "", "|b", "|"]))
    return Match(
        "regex", draw(st.sampled_from(["", "^"])) + body + alternative + draw(st.sampled_from(["", "$"]))
    )


def nested(rules: st.SearchStrategy[Match]) -> st.SearchStrategy[Match]:
    several = st.lists(rules, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Match, st.sampled_from(["or", "and"]), rules=several),
        st.builds(Match, st.just("not"), rules=st.tuples(rules)),
    )


rules = st.recursive(st.one_of(plain, expressions()), nested, max_leaves=5)


@given(st.lists(rules, max_size=12), st.lists(letters, max_size=8))
def test_the_rules_found_are_those_that_hold(known: list[Match], names: list[str]) -> None:
    index = RuleIndex(known)
    for name in names:
        assert index.holding(name) == [at for at, rule in enumerate(known) if rule.holds(name)]


@pytest.mark.parametrize(
    ("pattern", "anchor"),
    [
        (r"^gpt-5\.4-\d{4}-\d{2}$", Anchor("starts_with", "gpt-5.4-")),
        (r"^((us|eu)\.)?anthropic\.claude", Anchor("contains", "anthropic.claude")),
        (r"^ab?c", Anchor("starts_with", "a")),
        (r"x+yz{2}", Anchor("contains", "x")),
        (r"\[fast=true\]$", Anchor("contains", "[fast=true]")),
        (r"^(o3|o4-mini)$", None),
        (r"one|two", None),
        (r"(?i)abc", None),
        (r"^(?!.*-tts)", None),
        (r"a\1", None),
        (r"", None),
    ],
)
def test_what_an_expression_cannot_do_without(pattern: str, anchor: Anchor | None) -> None:
    assert anchors_of(Match("regex", pattern)) == (anchor and (anchor,))


def test_of_rules_that_must_all_hold_the_most_telling_is_taken() -> None:
    both = Match("and", rules=(Match("contains", "a"), Match("starts_with", "Model-"), Match("regex", "x|y")))
    assert anchors_of(both) == (Anchor("starts_with", "model-"),)


def test_a_name_is_held_against_few_of_many_rules() -> None:
    forms = ("equals", "starts_with", "ends_with", "contains", "regex")
    many = [
        Match(form, re.escape(f"model-{number:05d}-{form}"))  # type: ignore[arg-type]
        if form == "regex"
        else Match(form, f"model-{number:05d}-{form}")  # type: ignore[arg-type]
        for number in range(10_000)
        for form in forms
    ]
    index = RuleIndex(many)
    held: list[str] = []
    with patch.object(Match, "holds", autospec=True, side_effect=lambda rule, name: held.append(rule.text)):
        for form in forms:
            index.holding(f"a-model-07000-{form}")
    assert len(held) == 3, "the ends, the part and the expression; nothing begins so or is the name itself"
