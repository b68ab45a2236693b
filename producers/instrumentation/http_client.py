"""Observing a client of httpx or httpx2: its `send`, through which every request of every official client goes.

`send` is the HTTP client's public method for a request that is built, and the narrowest place: one call of it is one
attempt of the official client, after its own retries, copies (`with_options`), raw and streaming responses and stream
helpers have become plain requests. It is replaced on the one object, so that the client's class, its transports, hooks
and mounts stay what they are. What `send` returns is returned: a response that was read was read by httpx itself, and
of one that is still to be read, `stream` is replaced by one that hands on every piece as it comes.

Invariants: exceptions go through untouched; nothing is read that the application does not read.
Limits: one hook serves all official clients that share an HTTP client; they are told apart by the host that they talk
to, and a host that nobody registered is observed only where its vendor is known. Bytes of a packed body are unpacked
a second time.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, wraps
from typing import Any, Final

from producers.instrumentation.http_stream import observed_stream
from producers.instrumentation.observation import Observation
from producers.instrumentation.observer import Observer, SeenRequest
from producers.instrumentation.request_facts import form_words, outermost_words, spoken_units
from producers.instrumentation.stream_usage import ask_for_usage
from producers.instrumentation.unpacking import decoder_of
from producers.vendors.endpoints import vendor_of_host

_RETRIES_HEADER: Final = "x-stainless-retry-count"
"""In which OpenAI's and Anthropic's clients say how many attempts went before."""

_HOOK: Final = "_tokenweir_hook"
"""Under which the function that took the place of `send` carries its hook."""

_WORDS: Final = frozenset({"model"})

Place = tuple[str, int | None]
"""Host and port of a URL; no port where it is the scheme's own."""


class SendHook:
    """What took the place of one HTTP client's `send`. observers: by the place that their client talks to."""

    def __init__(self, http_client: Any, *, is_async: bool) -> None:
        self.observers: dict[Place, Observer] = {}
        self._http_client = http_client
        self._before = vars(http_client).get("send")
        self._original: Callable[..., Any] = http_client.send
        replacement = self._async_send() if is_async else self._sync_send()
        setattr(replacement, _HOOK, self)
        http_client.send = replacement

    def remove(self) -> None:
        """Put back what was there before, unless something else has taken the place since."""
        if hook_of(self._http_client) is not self:
            self.observers.clear()
        elif self._before is None:
            del self._http_client.send
        else:
            self._http_client.send = self._before

    def _sync_send(self) -> Callable[..., Any]:
        original = self._original

        @wraps(original)
        def send(request: Any, *args: Any, **kwargs: Any) -> Any:
            observer = self._observer_of(request)
            observation = observer and observer.begin(partial(_seen, request))
            if not observer or not observation:
                return original(request, *args, **kwargs)
            asked = ask_for_usage(request) if observer.ask_for_stream_usage else None
            try:
                response = original(asked or request, *args, **kwargs)
            except BaseException as error:
                observation.failed(error)
                raise
            _respond(observer, observation, response, bool(kwargs.get("stream")), asked is not None)
            return response

        return send

    def _async_send(self) -> Callable[..., Any]:
        original = self._original

        @wraps(original)
        async def send(request: Any, *args: Any, **kwargs: Any) -> Any:
            observer = self._observer_of(request)
            observation = observer and observer.begin(partial(_seen, request))
            if not observer or not observation:
                return await original(request, *args, **kwargs)
            asked = ask_for_usage(request) if observer.ask_for_stream_usage else None
            try:
                response = await original(asked or request, *args, **kwargs)
            except BaseException as error:
                observation.failed(error)
                raise
            _respond(observer, observation, response, bool(kwargs.get("stream")), asked is not None)
            return response

        return send

    def _observer_of(self, request: Any) -> Observer | None:
        try:
            place = (request.url.host, request.url.port)
        except AttributeError:  # no request of httpx
            return None
        registered = self.observers.get(place)
        if registered is not None:
            return registered
        if vendor_of_host(*place):
            for other in self.observers.values():
                return replace(other, vendor="", region="")
        return None


def hook_of(http_client: Any) -> SendHook | None:
    """The hook in the place of this HTTP client's `send`."""
    found = getattr(vars(http_client).get("send"), _HOOK, None)
    return found if isinstance(found, SendHook) else None


def observe(http_client: Any, base_url: Any, observer: Observer, *, is_async: bool) -> None:
    """From here on `observer` sees the requests of `http_client` to the place of `base_url`, a URL of httpx."""
    hook = hook_of(http_client) or SendHook(http_client, is_async=is_async)
    hook.observers[(base_url.host, base_url.port)] = observer


def release(http_client: Any, base_url: Any) -> None:
    """Undo `observe`; the client is as it was when its last place is released."""
    hook = hook_of(http_client)
    if hook is not None:
        hook.observers.pop((base_url.host, base_url.port), None)
        if not hook.observers:
            hook.remove()


def _seen(request: Any) -> SeenRequest:
    stated = request.headers.get(_RETRIES_HEADER, "")
    return SeenRequest(
        method=request.method,
        host=request.url.host,
        port=request.url.port,
        path=request.url.path,
        words=partial(_words, request),
        identify=partial(_identity, request),
        retries=int(stated) if stated.isdecimal() and len(stated) < 4 else None,
        spoken_units=lambda: spoken_units(_body(request) or b""),
    )


def _body(request: Any) -> bytes | None:
    """What the request carries; None where that is not in memory: a form with files, a stream of the application's."""
    content = getattr(request, "_content", None)
    return content if isinstance(content, bytes) else None


def _words(request: Any) -> Mapping[str, str]:
    body = _body(request)
    return form_words(request.stream, _WORDS) if body is None else outermost_words(body, _WORDS)


def _identity(request: Any) -> object:
    body = _body(request)
    what = id(request) if body is None else (len(body), hash(body))
    return (request.method, str(request.url), what)


def _respond(
    observer: Observer, observation: Observation, response: Any, is_streamed: bool, hides_usage: bool
) -> None:
    try:
        headers = response.headers
        if response.status_code >= 300:
            observation.refused(response.status_code, b"" if is_streamed else response.content)
            return
        content_type = headers.get("content-type", "")
        envelope = observer.make_envelope(headers) if observer.make_envelope is not None else None
        if is_streamed:
            observation.opened(content_type, decode=decoder_of(response), envelope=envelope)
            response.stream = observed_stream(response, observation, hides_usage=hides_usage)
        else:
            observation.opened(content_type, envelope=envelope)
            observation.feed(response.content)
            observation.finished()
    except Exception:  # noqa: BLE001 - the boundary to the application, which must never feel us
        observation.spoil()
