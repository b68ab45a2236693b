"""Every official client, made to talk to this machine and to do two things: to ask at once, and to ask for a stream."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from itertools import islice
from typing import Any

import anthropic
import boto3
import cohere
import httpx
import openai
from botocore.config import Config
from google import genai
from google.genai import types
from mistralai.client import Mistral
from mistralai.client.utils import BackoffStrategy, RetryConfig

from tests.instrumentation import answers
from tests.instrumentation.server import EVENTS, Reply, plain

ASKED = [{"role": "user", "content": answers.CANARY}]


@dataclass(frozen=True)
class Case:
    """A client and what a vendor answers it.

    make: a client that talks to a URL. ask: asks at once. stream: asks for a stream. Of an asynchronous client both
    give something to be awaited. whole, pieces: what the vendor answers. content_type: of the stream. input_tokens: as
    the vendor counts them for the bill.
    """

    name: str
    make: Callable[[str], Any]
    ask: Callable[[Any], Any]
    stream: Callable[[Any], Any]
    vendor: str
    model: str
    requested_model: str
    whole: Reply
    pieces: Sequence[bytes]
    content_type: str = EVENTS
    stream_states_usage: bool = True
    input_tokens: int = 20
    is_async: bool = False

    def streamed(self, *, upto: int | None = None, is_cut: bool = False, pause_seconds: float = 0.0) -> Reply:
        return Reply(
            self.pieces[:upto],
            content_type=self.content_type,
            is_cut=is_cut,
            pause_seconds=pause_seconds,
        )


class Bench:
    """Clients that were made once, and what a test does with them. Asynchronous ones live in one event loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._clients: dict[tuple[str, str], Any] = {}
        self._cases: dict[str, Case] = {}

    def client(self, case: Case, kind: str) -> Any:
        """One of a case's clients; kind: which."""
        self._cases[case.name] = case
        if (case.name, kind) not in self._clients:
            self._clients[case.name, kind] = case.make(self._url)
        return self._clients[case.name, kind]

    def ask(self, case: Case, client: Any) -> Any:
        if not case.is_async:
            return _plainly(case.ask(client))

        async def run() -> Any:
            return _plainly(await case.ask(client))

        return self._run(run())

    def read(self, case: Case, client: Any, upto: int | None = None) -> list[Any]:
        """The items of a stream, so many of them, all where it is None; then the stream is closed."""
        if case.is_async:
            return self._run(_aread(case, client, upto))
        items = case.stream(client)
        try:
            return [_plainly(item) for item in islice(items, upto)]
        finally:
            items.close()

    def _run(self, does: Coroutine[Any, Any, Any]) -> Any:
        """In the context of the caller, as `await` would; the runner keeps one of its own."""
        return self._runner.run(does, context=copy_context())

    def close(self) -> None:
        for (name, _), client in self._clients.items():
            if self._cases[name].is_async:
                self._runner.run(_aclose(client))
            elif hasattr(client, "close"):
                client.close()
            else:
                client.__exit__(None, None, None)
        self._runner.close()


async def _aread(case: Case, client: Any, upto: int | None) -> list[Any]:
    items = await case.stream(client)
    taken: list[Any] = []
    try:
        async for item in items:
            taken.append(_plainly(item))
            if len(taken) == upto:
                break
    finally:
        await _aclose(items)
        del items
        if case.vendor == "google" and upto is not None:
            for _ in range(5):  # google-genai leaves a stream that is left to the garbage collector
                gc.collect()
                await asyncio.sleep(0.01)
    return taken


async def _aclose(closes: Any) -> None:
    if isinstance(closes, genai.Client):
        own = closes._api_client._http_options.httpx_async_client
        await closes.aio.aclose()
        closes.close()
        if own is not None:
            await own.aclose()  # the client leaves it to who made it
    elif hasattr(closes, "aclose"):
        await closes.aclose()
    elif hasattr(closes, "__aexit__"):
        await closes.__aexit__(None, None, None)
    else:
        await closes.close()


def _plainly(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _openai_chat(client: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=ASKED)


def _openai_stream(client: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True)


def _openai_responses(client: Any) -> Any:
    return client.responses.create(model="gpt-4o", input=answers.CANARY)


def _openai_responses_stream(client: Any) -> Any:
    return client.responses.create(model="gpt-4o", input=answers.CANARY, stream=True)


def _openai(url: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="made-up", base_url=f"{url}/v1")


def _async_openai(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="made-up", base_url=f"{url}/v1")


def _openai_on_httpx(url: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="made-up", base_url=f"{url}/v1", http_client=httpx.Client())


def _azure(url: str) -> openai.AzureOpenAI:
    return openai.AzureOpenAI(api_key="made-up", azure_endpoint=url, api_version="2025-01-01")


def _anthropic(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="made-up", base_url=url)


def _async_anthropic(url: str) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(api_key="made-up", base_url=url)


def _anthropic_bedrock(url: str) -> anthropic.AnthropicBedrock:
    return anthropic.AnthropicBedrock(
        aws_access_key="made-up", aws_secret_key="made-up", aws_region="eu-west-1", base_url=url
    )


def _message(client: Any) -> Any:
    return client.messages.create(model="claude-opus-4-8", max_tokens=64, messages=ASKED)


def _message_stream(client: Any) -> Any:
    return client.messages.create(model="claude-opus-4-8", max_tokens=64, messages=ASKED, stream=True)


def _genai(url: str, **options: Any) -> genai.Client:
    retries = types.HttpRetryOptions(attempts=3, initial_delay=0.01, max_delay=0.02)
    return genai.Client(
        api_key="made-up", http_options=types.HttpOptions(base_url=url, retry_options=retries, **options)
    )


def _genai_on_httpx(url: str) -> genai.Client:
    return _genai(url, httpx_async_client=httpx.AsyncClient())


def _mistral(url: str) -> Mistral:
    backoff = BackoffStrategy(10, 20, 1.5, 5_000)
    return Mistral(api_key="made-up", server_url=url, retry_config=RetryConfig("backoff", backoff, False))


def _cohere(url: str) -> cohere.ClientV2:
    return cohere.ClientV2(api_key="made-up", base_url=url)


def _async_cohere(url: str) -> cohere.AsyncClientV2:
    return cohere.AsyncClientV2(api_key="made-up", base_url=url)


async def _async_cohere_stream(client: Any) -> Any:
    return client.chat_stream(model="command-a-03-2025", messages=ASKED)


def bedrock_client(url: str) -> Any:
    return boto3.client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="made-up",
        aws_secret_access_key="made-up",
        config=Config(retries={"mode": "standard", "max_attempts": 3}),
    )


CONVERSE_MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
_CONVERSED = [{"role": "user", "content": [{"text": answers.CANARY}]}]


def _without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _converse(client: Any) -> Any:
    return _without_metadata(client.converse(modelId=CONVERSE_MODEL, messages=_CONVERSED))


def _converse_stream(client: Any) -> Any:
    return client.converse_stream(modelId=CONVERSE_MODEL, messages=_CONVERSED)["stream"]


_OPENAI: dict[str, Any] = {
    "vendor": "openai",
    "model": "gpt-4o-2024-11-20",
    "requested_model": "gpt-4o",
    "whole": plain(answers.OPENAI_CHAT),
    "pieces": answers.events(answers.OPENAI_CHUNKS, done=True),
    "stream_states_usage": False,
}
_RESPONSES: dict[str, Any] = {
    **_OPENAI,
    "whole": plain(answers.OPENAI_RESPONSE),
    "pieces": answers.events(answers.OPENAI_RESPONSE_EVENTS, named=True),
    "stream_states_usage": True,
}
_ANTHROPIC: dict[str, Any] = {
    "vendor": "anthropic",
    "model": "claude-sonnet-4-5-20250929",
    "requested_model": "claude-opus-4-8",
    "whole": plain(answers.ANTHROPIC_MESSAGE),
    "pieces": answers.events(answers.ANTHROPIC_EVENTS, named=True),
}
_GEMINI: dict[str, Any] = {
    "vendor": "google",
    "model": "gemini-2.5-flash",
    "requested_model": "gemini-2.5-flash",
    "whole": plain(answers.GEMINI_ANSWER),
    "pieces": answers.events(answers.GEMINI_CHUNKS),
}
_MISTRAL: dict[str, Any] = {
    "vendor": "mistral",
    "model": "mistral-large-latest",
    "requested_model": "mistral-large-latest",
    "whole": plain(answers.MISTRAL_ANSWER),
    "pieces": answers.events(answers.MISTRAL_CHUNKS, done=True),
}
_COHERE: dict[str, Any] = {
    "vendor": "cohere",
    "model": "command-a-03-2025",
    "requested_model": "command-a-03-2025",
    "whole": plain(answers.COHERE_ANSWER),
    "pieces": answers.events(answers.COHERE_EVENTS, named=True),
    "input_tokens": 18,
}

_GEMINI_ASYNC: dict[str, Any] = {
    "ask": lambda client: client.aio.models.generate_content(model="gemini-2.5-flash", contents="x"),
    "stream": lambda client: client.aio.models.generate_content_stream(
        model="gemini-2.5-flash", contents="x"
    ),
    "is_async": True,
    **_GEMINI,
}
_CHATS: dict[str, Any] = {"ask": _openai_chat, "stream": _openai_stream, **_OPENAI}
_MESSAGES: dict[str, Any] = {"ask": _message, "stream": _message_stream, **_ANTHROPIC}

CASES = (
    Case("openai", _openai, **_CHATS),
    Case("openai-async", _async_openai, **_CHATS, is_async=True),
    Case("openai-on-httpx", _openai_on_httpx, **_CHATS),
    Case("azure", _azure, **{**_CHATS, "vendor": "azure"}),
    Case("responses", _openai, ask=_openai_responses, stream=_openai_responses_stream, **_RESPONSES),
    Case("anthropic", _anthropic, **_MESSAGES),
    Case("anthropic-async", _async_anthropic, **_MESSAGES, is_async=True),
    Case(
        "anthropic-bedrock",
        _anthropic_bedrock,
        **{
            **_MESSAGES,
            "vendor": "aws",
            "pieces": [answers.aws_chunk(event) for event in answers.ANTHROPIC_EVENTS],
            "content_type": "application/vnd.amazon.eventstream",
        },
    ),
    Case(
        "gemini",
        _genai,
        ask=lambda client: client.models.generate_content(model="gemini-2.5-flash", contents="x"),
        stream=lambda client: client.models.generate_content_stream(model="gemini-2.5-flash", contents="x"),
        **_GEMINI,
    ),
    Case("gemini-async", _genai, **_GEMINI_ASYNC),
    Case("gemini-async-on-httpx", _genai_on_httpx, **_GEMINI_ASYNC),
    Case(
        "mistral",
        _mistral,
        ask=lambda client: client.chat.complete(model="mistral-large-latest", messages=ASKED),
        stream=lambda client: client.chat.stream(model="mistral-large-latest", messages=ASKED),
        **_MISTRAL,
    ),
    Case(
        "mistral-async",
        _mistral,
        ask=lambda client: client.chat.complete_async(model="mistral-large-latest", messages=ASKED),
        stream=lambda client: client.chat.stream_async(model="mistral-large-latest", messages=ASKED),
        is_async=True,
        **_MISTRAL,
    ),
    Case(
        "cohere",
        _cohere,
        ask=lambda client: client.chat(model="command-a-03-2025", messages=ASKED),
        stream=lambda client: client.chat_stream(model="command-a-03-2025", messages=ASKED),
        **_COHERE,
    ),
    Case(
        "cohere-async",
        _async_cohere,
        ask=lambda client: client.chat(model="command-a-03-2025", messages=ASKED),
        stream=_async_cohere_stream,
        is_async=True,
        **_COHERE,
    ),
    Case(
        "bedrock",
        bedrock_client,
        ask=_converse,
        stream=_converse_stream,
        vendor="aws",
        model=CONVERSE_MODEL,
        requested_model=CONVERSE_MODEL,
        whole=plain(answers.CONVERSE_ANSWER),
        pieces=[answers.aws_event(*event) for event in answers.CONVERSE_EVENTS],
        content_type="application/vnd.amazon.eventstream",
    ),
)
