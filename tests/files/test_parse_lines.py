"""Lines of raw answers: each gives its fields or its error, in its place."""

import json
from datetime import UTC, datetime

import pytest

from producers.files import lines, parse_answers
from tokenweir.errors import WrongCall
from tokenweir.usage import UsageEvent

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_each_line_gives_its_fields_or_its_error() -> None:
    answers = [
        b'{"model":"gpt-4o","usage":{"prompt_tokens":5,"completion_tokens":0}}\n',
        b"\n",
        b"{oops\n",
        b'{"error":{"message":"x"}}\n',
        b'{"id":"r","model":"gpt-5","output":[{"type":"web_search_call"}],"usage":{"input_tokens":5}}',
    ]
    first, broken, refused, last = parse_answers(answers, "openai", now=NOW, fields={"team": "search"})
    assert first.pop("id").startswith("weir-parse:")
    assert first == {
        "source": "weir-parse",
        "time": "2026-03-01T00:00:00Z",
        "team": "search",
        "vendor": "openai",
        "model": "gpt-4o",
        "input_tokens": 5,
        "output_tokens": 0,
    }
    assert (broken["line"], broken["reason"], broken["field"]) == (2, "invalid_json", "")
    assert (refused["line"], refused["field"]) == (3, "usage")
    assert (last["id"], last["units"]) == ("openai:r", {"web_searches": 1})
    for line in (first, broken, refused, last):
        json.dumps(line)
    assert UsageEvent.model_validate_json(json.dumps(last)).units


def test_inner_calls_follow_when_asked_for() -> None:
    step = {"type": "compaction", "input_tokens": 7, "output_tokens": 1}
    usage = {"input_tokens": 5, "output_tokens": 6, "iterations": [step]}
    line = json.dumps({"model": "claude-x", "usage": usage}).encode()
    assert len(list(parse_answers([line], "anthropic", now=NOW))) == 1
    assert len(list(parse_answers([line], "anthropic", now=NOW, inner_calls=True))) == 2


def test_a_wrong_vendor_or_surface_is_a_wrong_call_at_once() -> None:
    with pytest.raises(WrongCall):
        parse_answers([], "opnai", now=NOW)
    with pytest.raises(WrongCall):
        parse_answers([], "openai", "messages", now=NOW)


def test_a_line_past_the_limit_is_refused() -> None:
    (refused,) = parse_answers([b"x" * (lines.MAX_LINE_BYTES + 1)], "openai", now=NOW)
    assert refused["reason"] == "too_large"
