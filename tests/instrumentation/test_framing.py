"""Streams cut into events: however the network cuts them, whatever they hold."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.instrumentation.framing import (
    MAX_EVENT_BYTES,
    AwsEventFrames,
    Framing,
    JsonLines,
    ServerSentEvents,
    bears_content,
    carries_text_alone,
    framing_of,
)
from tests.instrumentation import answers

BODIES: list[dict[str, Any]] = [{"n": number, "text": "é\u2028" * number} for number in range(5)]


def _sse(end: str) -> bytes:
    lines = [": a comment", "event: x", *(f"data: {json.dumps(body)}{end}" for body in BODIES)]
    return (end.join(lines) + end + f"data: [DONE]{end}{end}").encode()


_LINES = "\n".join(json.dumps(body) for body in BODIES).encode()
_FRAMES = b"".join(answers.aws_chunk(body) for body in BODIES)


def _cut(make: Callable[[], Framing], whole: bytes, cuts: list[int]) -> list[Any]:
    framing = make()
    edges = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    found = [event for begin, end in pairwise(edges) for event in framing.feed(whole[begin:end])]
    return [json.loads(event) for event in [*found, *framing.close()]]


@pytest.mark.parametrize(
    ("make", "whole"),
    [
        (ServerSentEvents, _sse("\n")),
        (ServerSentEvents, _sse("\r\n")),
        (ServerSentEvents, _sse("\r")),
        (JsonLines, _LINES),
        (AwsEventFrames, _FRAMES),
    ],
    ids=["LF", "CRLF", "CR", "lines", "frames"],
)
@given(cuts=st.lists(st.integers(min_value=0), max_size=20))
def test_cuts_do_not_matter(make: Callable[[], Framing], whole: bytes, cuts: list[int]) -> None:
    assert _cut(make, whole, cuts) == BODIES


@pytest.mark.parametrize("make", [ServerSentEvents, JsonLines, AwsEventFrames])
@given(pieces=st.lists(st.binary(max_size=60), max_size=10))
def test_noise_raises_nothing(make: Callable[[], Framing], pieces: list[bytes]) -> None:
    framing = make()
    for piece in pieces:
        list(framing.feed(piece))
    list(framing.close())


def test_the_mark_of_the_end_is_seen() -> None:
    framing = ServerSentEvents()
    assert list(framing.feed(b"data: {}\n\n")) == [b"{}"]
    assert not framing.ended
    assert list(framing.feed(b"data: [DONE]\n\n")) == []
    assert framing.ended


def test_several_data_lines_are_one_event() -> None:
    assert list(ServerSentEvents().feed(b'data: {"a":\ndata: 1}\n\n')) == [b'{"a":\n1}']


@pytest.mark.parametrize("make", [ServerSentEvents, JsonLines])
def test_an_event_that_is_too_large_costs_itself(make: Callable[[], Framing]) -> None:
    framing = make()
    end = b"\n\n"
    begin = b"data: " if make is ServerSentEvents else b""
    assert list(framing.feed(begin)) == []
    for _ in range(17):
        assert list(framing.feed(b"x" * (MAX_EVENT_BYTES // 16))) == []
    assert list(framing.feed(end)) == []
    assert list(framing.feed(begin + b"{}" + end)) == [b"{}"]


def test_a_frame_with_a_wrong_checksum_ends_the_reading() -> None:
    framing = AwsEventFrames()
    frame = answers.aws_chunk({"a": 1})
    broken = frame[:-1] + bytes([frame[-1] ^ 1])
    assert list(framing.feed(frame + broken + frame)) == [b'{"a": 1}']
    assert list(framing.feed(frame)) == []


def test_frames_tell_their_type() -> None:
    framing = AwsEventFrames()
    frames = answers.aws_event("metadata", {"usage": {}}) + answers.aws_exception("modelTimeoutException")
    assert [json.loads(event) for event in framing.feed(frames)] == [
        {"metadata": {"usage": {}}},
        {"error": {"code": "modelTimeoutException"}},
    ]


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("text/event-stream; charset=utf-8", ServerSentEvents),
        ("Text/Event-Stream", ServerSentEvents),
        ("application/vnd.amazon.eventstream", AwsEventFrames),
        ("application/x-ndjson", JsonLines),
        ("application/stream+json", JsonLines),
        ("application/json", type(None)),
        ("", type(None)),
    ],
)
def test_the_content_type_tells_the_cutter(content_type: str, kind: type) -> None:
    assert type(framing_of(content_type)) is kind


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (answers.OPENAI_CHUNKS[0], False),
        (answers.OPENAI_CHUNKS[1], True),
        (answers.OPENAI_CHUNKS[3], False),
        (answers.OPENAI_USAGE_CHUNK, False),
        ({"choices": [{"delta": {"role": "assistant", "tool_calls": [{}]}}]}, True),
        ({"choices": [{"delta": {"reasoning_content": "x"}}]}, True),
        ({"choices": [{"text": "x"}]}, True),
        (answers.ANTHROPIC_EVENTS[0], False),
        (answers.ANTHROPIC_EVENTS[2], False),
        (answers.ANTHROPIC_EVENTS[3], True),
        (answers.ANTHROPIC_EVENTS[5], False),
        (answers.OPENAI_RESPONSE_EVENTS[0], False),
        (answers.OPENAI_RESPONSE_EVENTS[1], True),
        (answers.OPENAI_RESPONSE_EVENTS[2], False),
        (answers.GEMINI_CHUNKS[0], True),
        ({"usageMetadata": {}}, False),
        (answers.COHERE_EVENTS[0], False),
        (answers.COHERE_EVENTS[2], True),
        ({"messageStart": {"role": "assistant"}}, False),
        ({"contentBlockDelta": {"delta": {"text": "x"}}}, True),
        ({"generation": "x"}, True),
        ([], False),
        (None, False),
        ({"choices": 7}, False),
        ({"candidates": [None, {"content": 7}]}, False),
    ],
)
def test_a_first_token_is_content(event: Any, expected: bool) -> None:
    assert bears_content(event) is expected


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (answers.OPENAI_CHUNKS[1], True),
        ({**answers.OPENAI_CHUNKS[1], "usage": None}, True),
        ({**answers.OPENAI_CHUNKS[1], "usage": {"prompt_tokens": 7}}, False),
        ({**answers.OPENAI_CHUNKS[1], "x_groq": {"usage": {"prompt_tokens": 7}}}, False),
        (answers.OPENAI_CHUNKS[3], False),
        (answers.OPENAI_USAGE_CHUNK, False),
        (answers.MISTRAL_CHUNKS[-1], False),
        ({"choices": [{"finish_reason": None}, {"finish_reason": "stop"}]}, False),
        ({"choices": [{"finish_reason": None}], "error": {"code": "x"}}, False),
        (answers.ANTHROPIC_EVENTS[0], False),
        (answers.ANTHROPIC_EVENTS[3], True),
        (answers.ANTHROPIC_EVENTS[5], False),
        (answers.ANTHROPIC_EVENTS[6], False),
        (answers.OPENAI_RESPONSE_EVENTS[1], True),
        (answers.OPENAI_RESPONSE_EVENTS[2], False),
        (answers.GEMINI_CHUNKS[0], False),
        (answers.COHERE_EVENTS[2], True),
        (answers.COHERE_EVENTS[4], False),
        ({"metadata": {"usage": {"inputTokens": 7}}}, False),
        ({"type": "text", "text": 'a "finish_reason":null and a "type":"x_delta"'}, False),
        ({"type": "content-delta", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 7}}, False),
    ],
)
def test_only_what_carries_text_alone_is_passed_over(
    event: Any, expected: bool, separators: tuple[str, str]
) -> None:
    assert carries_text_alone(json.dumps(event, separators=separators).encode()) is expected
