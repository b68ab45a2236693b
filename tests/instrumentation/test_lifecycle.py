"""Instrumenting and undoing it: once is once, copies are covered, and nothing is left behind."""

import gc
from collections.abc import Iterator
from typing import Any

import anthropic
import boto3
import httpx
import openai
import pytest
from google import genai

from producers.instrumentation import instrument, uninstrument
from producers.vendors import vendors
from tests.instrumentation import answers
from tests.instrumentation.clients import ASKED, bedrock_client
from tests.instrumentation.recording import RecordingEmitter
from tests.instrumentation.server import Reply, VendorServer, plain
from tokenweir.errors import WrongCall

CHAT = plain(answers.OPENAI_CHAT)
STREAM = Reply(answers.events(answers.OPENAI_CHUNKS, done=True), content_type="text/event-stream")


@pytest.fixture
def client(server: VendorServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="made-up", base_url=f"{server.url}/v1") as made:
        yield made


def _ask(client: openai.OpenAI) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=ASKED)  # type: ignore[arg-type]


def test_twice_counts_once_as_said_last(
    client: openai.OpenAI, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(CHAT)
    other = RecordingEmitter()
    assert instrument(instrument(client, other, team="one"), emitter, team="two") is client
    _ask(client)
    assert emitter.event.team == "two"
    assert other.events == []


def test_undone_the_client_is_as_it_was(
    client: openai.OpenAI, server: VendorServer, emitter: RecordingEmitter
) -> None:
    before = dict(vars(client._client))
    instrument(client, emitter)
    assert vars(client._client) != before
    uninstrument(client)
    uninstrument(client)
    assert vars(client._client) == before
    server.will_answer(CHAT)
    _ask(client)
    assert emitter.events == []


def test_a_send_of_the_applications_own_stays_in_its_place(
    client: openai.OpenAI, server: VendorServer, emitter: RecordingEmitter
) -> None:
    sent = []
    original = client._client.send

    def own(*args: Any, **kwargs: Any) -> Any:
        sent.append(args)
        return original(*args, **kwargs)

    client._client.send = own  # type: ignore[method-assign]
    instrument(client, emitter)
    server.will_answer(CHAT)
    _ask(client)
    assert (len(sent), len(emitter.events)) == (1, 1)
    uninstrument(client)
    assert client._client.send is own


def test_copies_are_observed_with_their_original(
    client: openai.OpenAI, server: VendorServer, emitter: RecordingEmitter
) -> None:
    instrument(client, emitter)
    server.will_answer(CHAT)
    _ask(client.with_options(timeout=5, max_retries=0))
    assert len(emitter.events) == 1
    instrument(client.with_options(max_retries=1), emitter)
    _ask(client)
    assert len(emitter.events) == 2


def test_clients_that_share_an_http_client_are_told_apart_by_their_host(
    server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(CHAT)
    port = server.url.rpartition(":")[2]
    with httpx.Client() as shared:
        one = openai.OpenAI(api_key="made-up", base_url=f"{server.url}/v1", http_client=shared)
        two = openai.OpenAI(api_key="made-up", base_url=f"http://localhost:{port}/v1", http_client=shared)
        third = openai.OpenAI(api_key="made-up", base_url=f"http://127.0.0.2:{port}/v1", http_client=shared)
        instrument(one, emitter, team="one")
        instrument(two, emitter, vendor="acme", team="two")
        _ask(one)
        _ask(two)
        with pytest.raises(openai.APIConnectionError):
            _ask(third.with_options(max_retries=0))
        assert [(event.team, event.vendor) for event in emitter.events] == [
            ("one", "openai"),
            ("two", "acme"),
        ]
        uninstrument(two)
        _ask(one)
        _ask(two)
        assert len(emitter.events) == 3


def test_any_name_may_send_the_bill(
    client: openai.OpenAI, server: VendorServer, emitter: RecordingEmitter
) -> None:
    server.will_answer(CHAT)
    instrument(client, emitter, vendor="house-gateway")
    _ask(client)
    assert (emitter.event.vendor, emitter.event.input_tokens) == ("house-gateway", 20)
    assert emitter.event.id == "house-gateway:chatcmpl-1"
    assert "house-gateway" not in vendors()


def test_a_vendor_mistyped_is_refused_at_once(client: openai.OpenAI, emitter: RecordingEmitter) -> None:
    with pytest.raises(WrongCall, match="anthropicc") as refused:
        instrument(client, emitter, vendor="anthropicc")
    assert "Did you mean anthropic?" in refused.value.hint


def test_types_stay_what_they_are(
    client: openai.OpenAI, server: VendorServer, emitter: RecordingEmitter
) -> None:
    http_class = type(client._client)
    instrument(client, emitter)
    assert type(client) is openai.OpenAI
    assert type(client._client) is http_class
    server.will_answer(STREAM)
    stream = client.chat.completions.create(model="gpt-4o", messages=[], stream=True)
    assert type(stream) is openai.Stream
    with stream as entered:
        assert entered is stream

        list(stream)
    assert stream.response.elapsed.total_seconds() > 0


def test_a_stream_that_nobody_closes_is_reported_when_it_is_collected(
    client: openai.OpenAI, server: VendorServer, emitter: RecordingEmitter
) -> None:
    instrument(client, emitter)
    server.will_answer(STREAM)
    stream = client.chat.completions.create(model="gpt-4o", messages=[], stream=True)
    next(iter(stream))
    assert emitter.events == []
    stream.response.close()
    del stream
    gc.collect()
    assert emitter.event.status == "cancelled"


@pytest.mark.parametrize(
    "thing", [object(), {}, None, "client", openai], ids=lambda thing: type(thing).__name__
)
def test_what_is_no_client_is_refused(thing: Any, emitter: RecordingEmitter) -> None:
    with pytest.raises(WrongCall, match="cannot be instrumented"):
        instrument(thing, emitter)
    with pytest.raises(WrongCall, match="cannot be instrumented"):
        uninstrument(thing)


def test_a_boto3_client_of_another_service_is_refused(emitter: RecordingEmitter) -> None:
    made = boto3.client("sts", region_name="eu-west-1")
    with pytest.raises(WrongCall, match="makes no calls to models"):
        instrument(made, emitter)
    made.close()


def test_undoing_works_for_every_kind_of_hook(server: VendorServer, emitter: RecordingEmitter) -> None:
    google = genai.Client(api_key="made-up", http_options={"base_url": server.url})
    claude = anthropic.Anthropic(api_key="made-up", base_url=server.url)
    bedrock = bedrock_client(server.url)
    before = dict(vars(google._api_client))
    for made in (google, claude, bedrock):
        uninstrument(instrument(instrument(made, emitter), emitter))
    assert vars(google._api_client) == before
    server.will_answer(plain(answers.GEMINI_ANSWER))
    google.models.generate_content(model="gemini-2.5-flash", contents="x")
    server.will_answer(plain(answers.CONVERSE_ANSWER))
    bedrock.converse(modelId="m", messages=[])
    server.will_answer(plain(answers.ANTHROPIC_MESSAGE))
    claude.messages.create(model="claude-opus-4-8", max_tokens=9, messages=[])
    assert emitter.events == []
    google.close()
    claude.close()
    bedrock.close()
