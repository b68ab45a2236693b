"""What else official clients offer: other surfaces, raw and streaming responses, helpers; and what is no call."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import anthropic
import openai
import pytest
from pydantic import BaseModel

from producers.emitter import attributed
from producers.instrumentation import instrument
from tests.instrumentation import answers
from tests.instrumentation.clients import ASKED
from tests.instrumentation.recording import RecordingEmitter
from tests.instrumentation.server import EVENTS, Reply, VendorServer, plain

CHAT = plain(answers.OPENAI_CHAT)
PIECES = [*answers.events([*answers.OPENAI_CHUNKS, answers.OPENAI_USAGE_CHUNK], done=True)]


@pytest.fixture
def client(server: VendorServer, emitter: RecordingEmitter) -> Iterator[Any]:
    with openai.OpenAI(api_key="made-up", base_url=f"{server.url}/v1") as made:
        yield instrument(made, emitter)


@pytest.fixture
def claude(server: VendorServer, emitter: RecordingEmitter) -> Iterator[Any]:
    with anthropic.Anthropic(api_key="made-up", base_url=server.url) as made:
        yield instrument(made, emitter)


class _Weather(BaseModel):
    degrees: int


_PARSED = {
    **answers.OPENAI_CHAT,
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": '{"degrees": 7}'}}
    ],
}


def test_raw_responses_and_parsed_ones_are_the_same_call(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(plain(_PARSED))
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=ASKED)
    assert raw.parse().id == "chatcmpl-1"
    parsed = client.chat.completions.parse(model="gpt-4o", messages=ASKED, response_format=_Weather)
    assert parsed.choices[0].message.parsed == _Weather(degrees=7)
    assert [event.input_tokens for event in emitter.events] == [20, 20]


def test_a_streaming_response_is_counted_when_it_was_read(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(CHAT)
    with client.chat.completions.with_streaming_response.create(model="gpt-4o", messages=ASKED) as response:
        assert emitter.events == []
        body = b"".join(response.iter_bytes(7))
    assert json.loads(body) == answers.OPENAI_CHAT
    assert (emitter.event.input_tokens, emitter.event.streaming) == (20, False)


@pytest.mark.parametrize("is_stream", [False, True])
def test_packed_bodies_are_read_too(
    client: Any, server: VendorServer, emitter: RecordingEmitter, is_stream: bool
) -> None:
    body = b"".join(PIECES) if is_stream else json.dumps(answers.OPENAI_CHAT).encode()
    packed = gzip.compress(body)
    content_type = EVENTS if is_stream else "application/json"
    server.will_answer(
        Reply([packed[:50], packed[50:]], headers={"content-encoding": "gzip"}, content_type=content_type)
    )
    given = client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=is_stream)
    if is_stream:
        assert len(list(given)) == len(answers.OPENAI_CHUNKS) + 1
    assert emitter.event.input_tokens == 20


def test_stream_helpers_are_one_call(
    client: Any, claude: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply(PIECES, content_type=EVENTS))
    with client.chat.completions.stream(model="gpt-4o", messages=ASKED) as stream:
        assert stream.get_final_completion().choices[0].message.content == answers.CANARY * 2
    server.will_answer(Reply(answers.events(answers.ANTHROPIC_EVENTS, named=True), content_type=EVENTS))
    with claude.messages.stream(model="claude-opus-4-8", max_tokens=9, messages=ASKED) as messages:
        assert messages.get_final_message().usage.output_tokens == 7
    assert [(event.vendor, event.input_tokens) for event in emitter.events] == [
        ("openai", 20),
        ("anthropic", 20),
    ]


def test_an_embedding_says_so(client: Any, server: VendorServer, emitter: RecordingEmitter) -> None:
    server.will_answer(plain(answers.OPENAI_EMBEDDING))
    client.embeddings.create(model="text-embedding-3-small", input=answers.CANARY)
    assert (emitter.event.operation, emitter.event.input_tokens) == ("embedding", 9)


def test_pictures_without_usage_are_counted(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(plain({"created": 1764000000, "data": [{"url": "http://127.0.0.1/1.png"}]}))
    client.images.generate(model="dall-e-3", prompt=answers.CANARY)
    assert (emitter.event.operation, emitter.event.model) == ("image", "dall-e-3")
    assert emitter.event.units == {"images": Decimal(1)}


def test_a_form_with_files_names_its_model(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(plain({"text": answers.CANARY, "usage": {"type": "duration", "seconds": 11}}))
    client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"))
    assert (emitter.event.operation, emitter.event.model) == ("transcription", "whisper-1")
    assert emitter.event.units == {"audio_seconds": Decimal(11)}


def test_what_is_answered_with_sound_is_visible(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply([b"ID3sound"], content_type="audio/mpeg"))
    spoken = client.audio.speech.create(model="tts-1", voice="alloy", input=answers.CANARY)
    assert spoken.read() == b"ID3sound"
    assert (emitter.event.operation, emitter.event.error_code) == ("speech", "usage_not_stated")
    assert emitter.event.units == {"characters": Decimal(len(answers.CANARY))}
    assert emitter.event.model == "tts-1"


_NO_CALLS: list[tuple[str, Callable[[Any], Any]]] = [
    ("models", lambda client: client.models.list()),
    (
        "batches",
        lambda client: client.batches.create(input_file_id="f", endpoint="/v1/x", completion_window="24h"),
    ),
    ("files", lambda client: client.files.create(file=b"{}", purpose="batch")),
    ("moderations", lambda client: client.moderations.create(input="x")),
    ("responses retrieved", lambda client: client.responses.retrieve("resp_1")),
]


@pytest.mark.parametrize("do", [do for _, do in _NO_CALLS], ids=[name for name, _ in _NO_CALLS])
def test_what_is_no_billed_call_has_no_event(
    client: Any, server: VendorServer, emitter: RecordingEmitter, do: Callable[[Any], Any]
) -> None:
    server.will_answer(plain({**answers.OPENAI_RESPONSE, "data": [], "results": []}))
    do(client)
    assert (emitter.events, emitter.dropped, emitter.unanswered) == ([], [], 0)


def test_counting_tokens_is_free(claude: Any, server: VendorServer, emitter: RecordingEmitter) -> None:
    server.will_answer(plain({"input_tokens": 9}))
    claude.messages.count_tokens(model="claude-opus-4-8", messages=ASKED)
    assert (emitter.events, emitter.dropped) == ([], [])


def test_an_error_within_a_stream_before_it_began_is_not_billed(
    claude: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": answers.CANARY}}
    server.will_answer(Reply(answers.events([error], named=True), content_type=EVENTS))
    with pytest.raises(anthropic.APIStatusError):
        list(claude.messages.create(model="claude-opus-4-8", max_tokens=9, messages=ASKED, stream=True))
    assert (emitter.events, emitter.dropped) == ([], [])


def test_an_error_within_a_stream_that_began_marks_the_call(
    claude: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": answers.CANARY}}
    server.will_answer(
        Reply(answers.events([*answers.ANTHROPIC_EVENTS[:4], error], named=True), content_type=EVENTS)
    )
    with pytest.raises(anthropic.APIStatusError):
        list(claude.messages.create(model="claude-opus-4-8", max_tokens=9, messages=ASKED, stream=True))
    assert (emitter.event.status, emitter.event.error_code) == ("error", "overloaded_error")
    assert emitter.event.input_tokens == 20
    assert answers.CANARY not in emitter.all_that_left()


def test_time_to_first_token_waits_for_content(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply(PIECES, content_type=EVENTS, pause_seconds=0.05))
    list(client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True))
    event = emitter.event
    assert event.ttft_ms is not None
    assert event.duration_ms is not None
    assert event.ttft_ms >= 95  # the first event only announces an answer
    assert event.duration_ms >= event.ttft_ms + 100


def test_a_timeout_is_no_call_and_passes_through(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply([b"{}"], pause_seconds=0.3))
    instrument(client, emitter, record_failures=True)
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.05, max_retries=0).chat.completions.create(
            model="gpt-4o", messages=ASKED
        )
    assert (emitter.event.status, emitter.event.input_tokens) == ("timeout", 0)


def test_threads_report_their_own_calls(client: Any, server: VendorServer, emitter: RecordingEmitter) -> None:
    server.will_answer(CHAT)

    def ask(user: str) -> None:
        for _ in range(5):
            with attributed(user=user):
                client.chat.completions.create(model="gpt-4o", messages=ASKED)

    threads = [threading.Thread(target=ask, args=(f"user-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = sorted(event.user for event in emitter.events)
    assert counted == sorted(f"user-{number}" for number in range(4) for _ in range(5))
