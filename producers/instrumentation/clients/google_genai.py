"""Google's Gen AI client: `genai.Client` on the Gemini API and on Vertex, and its `aio`.

Hooked is the client's own sender of one attempt (`_request_once`, `_async_request_once` of `client._api_client`), which
all of models, chats and embeddings go through. Below it are three HTTP libraries: httpx or httpx2, aiohttp where it is
installed, requests with client certificates; above it the attempts of one call cannot be told apart. Streams are
observed as the JSON texts into which the client itself cuts them. The interactions API has a request builder of its
own on the same httpx clients; it is observed there.
Source: google-genai 3.6 (`_api_client.py`, `_gaos/google_genai.py`).
Limits: the live API goes through a websocket, and asks for its usage there.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from functools import partial, wraps
from typing import Any, Final
from urllib.parse import urlsplit

from producers.instrumentation.http_client import observe, release
from producers.instrumentation.observation import Observation, StreamAborted
from producers.instrumentation.observer import Observer, SeenRequest
from producers.instrumentation.operations import Operation, operation_of
from producers.instrumentation.registry import client_library
from producers.instrumentation.request_facts import words_of

_SENDERS: Final = ("_request_once", "_async_request_once")
_MARK: Final = "_tokenweir_original"
_EVENT_STREAM: Final = "text/event-stream"


@client_library("google.genai", vendor="google")
class GoogleGenAIHooks:
    """For `producers.instrumentation.registry`."""

    def install(self, client: Any, observer: Observer) -> None:
        self.remove(client)
        api = client._api_client
        for name, make in zip(_SENDERS, (_sync_sender, _async_sender), strict=True):
            original = getattr(api, name)
            sender = make(original, observer)
            setattr(sender, _MARK, vars(api).get(name))
            setattr(api, name, sender)
        for http_client, url, is_async in _http_clients(api):
            observe(http_client, url, replace(observer, operations=_interactions_alone), is_async=is_async)

    def remove(self, client: Any) -> None:
        api = client._api_client
        for name in _SENDERS:
            sender = vars(api).get(name)
            if not hasattr(sender, _MARK):
                continue
            before = getattr(sender, _MARK)
            if before is None:
                delattr(api, name)
            else:
                setattr(api, name, before)
        for http_client, url, _ in _http_clients(api):
            release(http_client, url)


def _http_clients(api: Any) -> Iterator[tuple[Any, Any, bool]]:
    for name, is_async in (("_httpx_client", False), ("_async_httpx_client", True)):
        http_client = getattr(api, name, None)
        if http_client is not None:
            yield http_client, http_client.build_request("POST", api._http_options.base_url).url, is_async


def _interactions_alone(method: str, path: str, vendor: str) -> Operation | None:
    return operation_of(method, path, vendor) if path.endswith("/interactions") else None


def _sync_sender(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def request_once(http_request: Any, stream: bool = False, **kwargs: Any) -> Any:
        observation = observer.begin(lambda: _seen(http_request))
        if observation is None:
            return original(http_request, stream, **kwargs)
        try:
            response = original(http_request, stream, **kwargs)
        except BaseException as error:
            observation.failed(error)
            raise
        _respond(observation, response, stream)
        return response

    return request_once


def _async_sender(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    async def request_once(http_request: Any, stream: bool = False, **kwargs: Any) -> Any:
        observation = observer.begin(lambda: _seen(http_request))
        if observation is None:
            return await original(http_request, stream, **kwargs)
        try:
            response = await original(http_request, stream, **kwargs)
        except BaseException as error:
            observation.failed(error)
            raise
        _respond(observation, response, stream)
        return response

    return request_once


def _seen(http_request: Any) -> SeenRequest:
    url = urlsplit(http_request.url)
    return SeenRequest(
        method=http_request.method,
        host=url.hostname or "",
        port=url.port,
        path=url.path,
        words=partial(words_of, http_request.data, ("model",)),
        # The client hands the same object to each attempt; the address is told apart, should it be used again.
        identify=lambda: (http_request.url, id(http_request)),
    )


def _respond(observation: Observation, response: Any, stream: bool) -> None:
    try:
        if not stream:
            texts = response.response_stream
            observation.answered(texts[0] if texts else "")
            return
        observation.opened(_EVENT_STREAM)
        response._iter_response_stream = partial(_texts, response._iter_response_stream, observation)
        response._aiter_response_stream = partial(_async_texts, response._aiter_response_stream, observation)
    except Exception:  # noqa: BLE001 - the boundary to the application, which must never feel us
        observation.spoil()


def _texts(original: Callable[[], Iterator[str]], observation: Observation) -> Iterator[str]:
    try:
        for text in original():
            observation.chunk(text)
            yield text
    except BaseException as error:
        observation.finished(StreamAborted() if isinstance(error, GeneratorExit) else error)
        raise
    observation.finished()


async def _async_texts(original: Callable[[], Any], observation: Observation) -> AsyncIterator[str]:
    try:
        async with aclosing(original()) as texts:
            async for text in texts:
                observation.chunk(text)
                yield text
    except BaseException as error:
        observation.finished(StreamAborted() if isinstance(error, GeneratorExit) else error)
        raise
    observation.finished()
