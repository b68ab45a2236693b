"""One attempt at a call as it is seen from beside: the request, what came back, what the application read of it.

An observation is begun before the request is sent and told what happens; it tells a `Call` of the emitter what that
means. It decides nothing about tokens: an answer's bytes and a stream's events go to the readers as they are.

| what happens | what is reported |
| --- | --- |
| no response, or an error status | nothing was billed: an event only where failures are recorded |
| a whole answer | the call it states |
| a stream, read to its end | the call it states |
| a stream that the application leaves, or that breaks | the call as far as it is known, cancelled or with the error |
| a stream whose first event is an error | nothing was billed, as above |
| sound or plain text, where that is what was asked for | a call without counts, marked `usage_not_stated` |
| an answer that cannot be read | the emitter drops and counts it as unreadable |

Invariants: no method raises or blocks, whatever comes; an observation reports once; what was read is never changed,
held back or kept longer than the emitter needs; at most MAX_ANSWER_BYTES of an answer that is read piece by piece are
held.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from producers.delivery.bounded_log import BoundedLog
from producers.emitter.call import Call
from producers.instrumentation import attempts
from producers.instrumentation.framing import Framing, bears_content, carries_text_alone, framing_of

MAX_ATTEMPTS: Final = 1_000
"""As many as an event can state; a client that goes on longer stays at it."""

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_MAX_ERROR_BYTES: Final = 64 * 1024
_MAX_LOOKED_INTO_BYTES: Final = 1024 * 1024
_IN_BAND_ERROR: Final = re.compile(rb'\s*\{\s*"(?:error"\s*:\s*[{"]|type"\s*:\s*"error")')

_said: Final = BoundedLog(logging.getLogger(__name__))

Decode = Callable[[bytes], bytes | Iterable[bytes]]
"""Takes a piece of a packed body, gives what it unpacks to."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a response's headers tell that its body does not.

    wrap: makes of an answer's bytes what the reader is given. preface: goes before the events of a stream.
    """

    wrap: Callable[[bytes], object]
    preface: Mapping[str, Any]


_P = ParamSpec("_P")


class CallRefused(Exception):
    """The vendor answered with an error. status_code: of HTTP, 0 within a stream. code: the vendor's word, or ""."""

    def __init__(self, status_code: int = 0, code: str = "") -> None:
        super().__init__(f"status {status_code}")
        self.status_code = status_code
        self.code = code


class StreamAborted(Exception):
    """The application stopped reading before the stream came to its end."""

    code = "stream_cut_off"


def _never_raises(
    method: "Callable[Concatenate[Observation, _P], None]",
) -> "Callable[Concatenate[Observation, _P], None]":
    @wraps(method)
    def guarded(self: "Observation", /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the boundary to the application, which must never feel us
            _said.warning(
                "observation", f"a call is not counted: observing it failed with {type(error).__name__}"
            )
            self.spoil()

    return guarded


class Observation:
    """One attempt. Used by one thread or task at a time, and by the garbage collector at last.

    call: what is reported to, begun. identify: what is equal for all attempts of the call, asked for only when an
    attempt fails. answers_in_bytes: whether what was asked for may come as sound or plain text.
    """

    def __init__(
        self,
        call: Call,
        identify: Callable[[], object],
        began_at: float,
        *,
        answers_in_bytes: bool = False,
    ) -> None:
        self._call = call
        self._identify = identify
        self._began_at = began_at
        self._answers_in_bytes = answers_in_bytes
        self._is_over = False
        self._decode: Decode | None = None
        self._envelope: Envelope | None = None
        self._framing: Framing | None = None
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._has_chunks = False
        self._in_band: CallRefused | None = None
        self._ttft_ms: float | None = None
        self._last_at = began_at

    @_never_raises
    def failed(self, error: BaseException) -> None:
        """There was no response."""
        if not self._is_over:
            self._fail(error)

    @_never_raises
    def refused(self, status_code: int, body: bytes = b"", *, code: str = "") -> None:
        """The response has an error status. body: as far as it is at hand. code: the vendor's word, if it is known."""
        if not self._is_over:
            self._fail(CallRefused(status_code, code or _error_code(body)))

    @_never_raises
    def attempted(self, times: int) -> None:
        """This is the last of so many attempts, of which the others were not seen."""
        self._call.attempt = times

    @_never_raises
    def dismissed(self) -> None:
        """It turned out to be nothing that is billed."""
        self._is_over = True
        self._call.discard()

    @_never_raises
    def answered(self, body: object) -> None:
        """The whole answer is here."""
        if not self._is_over:
            self._is_over = True
            self._call.answer(body)
            self._call.end()

    @_never_raises
    def opened(
        self, content_type: str, *, decode: Decode | None = None, envelope: Envelope | None = None
    ) -> None:
        """The response began and is going to be read piece by piece."""
        self._framing = framing_of(content_type)
        self._answers_in_bytes = self._answers_in_bytes and "json" not in content_type
        self._decode = decode
        self._envelope = envelope

    @_never_raises
    def feed(self, data: bytes) -> None:
        """The application is about to be given `data`, as it came from the network."""
        if self._is_over:
            return
        if self._decode is not None:
            unpacked = self._decode(data)
            data = unpacked if isinstance(unpacked, bytes) else b"".join(unpacked)
        if self._framing is None:
            if self._answers_in_bytes:
                return
            self._parts_bytes += len(data)
            if self._parts_bytes <= MAX_ANSWER_BYTES:
                self._parts.append(data)
            else:
                self._parts.clear()
            return
        self._take_all(self._framing.feed(data))

    @_never_raises
    def chunk(self, event: str) -> None:
        """The application is about to be given an event of a stream that was cut into events already."""
        if not self._is_over:
            self._take(event.encode("utf-8", "surrogatepass"))

    @_never_raises
    def finished(self, error: BaseException | None = None) -> None:
        """Nothing more is going to be read: all was (None), or reading broke with `error`.

        StreamAborted says that the application left. What comes after the vendor's mark of the end does not matter.
        """
        if self._is_over:
            return
        if self._framing is not None and self._framing.ended:
            error = None
        if self._framing is not None and error is None:
            self._take_all(self._framing.close())
        if not self._is_over:
            self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        self._is_over = True
        if self._framing is None and not self._has_chunks:
            self._finish_answer(error)
        else:
            self._finish_stream(error)

    def spoil(self) -> None:
        """Something here went wrong: let the emitter count the call as one that cannot be read."""
        self._is_over = True
        self._call.answer(b"")
        self._call.end()

    def _fail(self, error: BaseException) -> None:
        self._is_over = True
        self._call.retried(error)
        self._call.attempt = min(self._call.attempt, MAX_ATTEMPTS)
        attempts.leave(self._identify(), self._call, self._began_at)

    def _take_all(self, events: Iterable[bytes]) -> None:
        for event in events:
            if not self._is_over:
                self._take(event)

    def _take(self, event: bytes) -> None:
        if _IN_BAND_ERROR.match(event):
            self._end_in_band(event)
            return
        if self._ttft_ms is None and len(event) <= _MAX_LOOKED_INTO_BYTES and _holds_content(event):
            self._ttft_ms = (time.perf_counter() - self._began_at) * 1_000
        self._last_at = time.perf_counter()
        if self._has_chunks and self._ttft_ms is not None and carries_text_alone(event):
            return
        self._begin_stream()
        self._call.chunk(event)

    def _end_in_band(self, event: bytes) -> None:
        """An error within a stream is its end, whether or not the application reads on."""
        self._in_band = CallRefused(code=_error_code(event))
        if self._has_chunks:
            self._call.chunk(event)
        self._is_over = True
        self._finish_stream(self._in_band)

    def _begin_stream(self) -> None:
        if not self._has_chunks and self._envelope is not None:
            self._call.chunk(self._envelope.preface)
        self._has_chunks = True

    def _finish_answer(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, StreamAborted):
            self._fail(error)
            return
        if self._answers_in_bytes:
            self._call.chunk({})
            self._call.describe(ttft_ms=None)
            self._call.end(error)
            return
        body = b"".join(self._parts)
        self._call.answer(body if self._envelope is None else self._envelope.wrap(body))
        self._call.end()

    def _finish_stream(self, error: BaseException | None) -> None:
        error = self._in_band or error
        if not self._has_chunks:
            if self._in_band is not None or error is None:
                self._fail(error or CallRefused(code="empty_stream"))
                return
            self._begin_stream()
            self._call.chunk({})
            self._last_at = time.perf_counter()
        duration_ms = (self._last_at - self._began_at) * 1_000
        self._call.describe(streaming=True, ttft_ms=self._ttft_ms, duration_ms=duration_ms)
        self._call.end(error)


def _holds_content(event: bytes) -> bool:
    try:
        return bears_content(json.loads(event))
    except (ValueError, RecursionError):
        return False


def _error_code(body: bytes) -> str:
    """The vendor's own word for an error; "" where there is none to be found."""
    if not body or len(body) > _MAX_ERROR_BYTES:
        return ""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    inner = found.get("error")
    for holder in (inner, found):
        if isinstance(holder, dict):
            for name in ("code", "status", "type"):
                word = holder.get(name)
                if isinstance(word, str) and word != "error":
                    return word
    return ""
