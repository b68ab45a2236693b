"""Asking chat streams for their usage: the vendor is asked, the application notices nothing."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.instrumentation import instrument
from producers.instrumentation.stream_usage import UsageHider
from tests.instrumentation import answers
from tests.instrumentation.clients import ASKED
from tests.instrumentation.recording import RecordingEmitter
from tests.instrumentation.server import EVENTS, Reply, VendorServer

WITHOUT = answers.events(answers.OPENAI_CHUNKS, done=True)
WITH = answers.events([*answers.OPENAI_CHUNKS, answers.OPENAI_USAGE_CHUNK], done=True)


@pytest.fixture
def client(server: VendorServer) -> Iterator[Any]:
    with openai.OpenAI(api_key="made-up", base_url=f"{server.url}/v1") as made:
        yield made


def _stream(client: Any, **options: Any) -> list[Any]:
    return list(client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True, **options))


def test_a_request_is_not_changed_unless_asked(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply(WITHOUT, content_type=EVENTS))
    _stream(client)
    _stream(instrument(client, emitter))
    plain, observed = server.received
    assert observed == plain


def test_the_vendor_is_asked_and_the_application_sees_what_it_would_have(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply(WITHOUT, content_type=EVENTS))
    expected = _stream(client)
    instrument(client, emitter, ask_for_stream_usage=True)
    server.will_answer(Reply(WITH, content_type=EVENTS))
    assert _stream(client) == expected
    body = json.loads(server.received[0].body)
    assert body.pop("stream_options") == {"include_usage": True}
    assert body == {"model": "gpt-4o", "messages": ASKED, "stream": True}
    assert (emitter.event.input_tokens, emitter.event.output_tokens) == (20, 7)
    assert (emitter.event.status, emitter.event.error_code) == ("ok", "")


def test_who_asks_gets_the_usage(client: Any, server: VendorServer, emitter: RecordingEmitter) -> None:
    instrument(client, emitter, ask_for_stream_usage=True)
    server.will_answer(Reply(WITH, content_type=EVENTS))
    items = _stream(client, stream_options={"include_usage": True})
    assert items[-1].usage.total_tokens == 27
    assert emitter.event.input_tokens == 20


def test_options_of_the_applications_own_are_kept(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    instrument(client, emitter, ask_for_stream_usage=True)
    server.will_answer(Reply(WITH, content_type=EVENTS))
    items = _stream(client, stream_options={"include_obfuscation": False})
    assert json.loads(server.received[0].body)["stream_options"] == {
        "include_obfuscation": False,
        "include_usage": True,
    }
    assert len(items) == len(answers.OPENAI_CHUNKS)


def test_what_is_no_stream_is_not_changed(
    client: Any, server: VendorServer, emitter: RecordingEmitter
) -> None:
    instrument(client, emitter, ask_for_stream_usage=True)
    server.will_answer(Reply([json.dumps(answers.OPENAI_CHAT).encode()]))
    client.chat.completions.create(model="gpt-4o", messages=ASKED)
    assert "stream_options" not in json.loads(server.received[0].body)
    assert emitter.event.input_tokens == 20


async def test_the_asynchronous_client_is_treated_alike(
    server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(Reply(WITH, content_type=EVENTS))
    async with openai.AsyncOpenAI(api_key="made-up", base_url=f"{server.url}/v1") as made:
        instrument(made, emitter, ask_for_stream_usage=True)
        stream = await made.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "x"}], stream=True
        )
        items = [item async for item in stream]
    assert len(items) == len(answers.OPENAI_CHUNKS)
    assert emitter.event.input_tokens == 20


@given(cuts=st.lists(st.integers(min_value=0, max_value=len(b"".join(WITH))), max_size=12))
def test_however_the_network_cuts_a_stream_one_event_is_left_out(cuts: list[int]) -> None:
    whole = b"".join(WITH)
    edges = [0, *sorted(cuts), len(whole)]
    hider = UsageHider()
    handed_on = b"".join(hider.feed(whole[begin:end]) for begin, end in pairwise(edges))
    assert handed_on + hider.rest() == b"".join(WITHOUT)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_what_is_no_event_is_handed_on_as_it_is(pieces: list[bytes]) -> None:
    hider = UsageHider()
    assert b"".join([*map(hider.feed, pieces), hider.rest()]) == b"".join(pieces)
