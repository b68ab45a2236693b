"""One call to a vendor, measured while it runs and reported when it ends.

    with emitter.call(vendor="openai", model="gpt-4o", team="checkout") as call:
        call.answer(client.chat.completions.create(...))

    async with emitter.call(vendor="anthropic", model="claude-sonnet-4-5") as call:
        async for chunk in stream:
            call.chunk(chunk)

Where no block fits (a stream that is consumed elsewhere), `begin` and `end` do what entering and leaving do.

Invariants:
- no method raises or blocks, and an exception of the block goes on untouched;
- one call is reported at most once, when it ends. It has an event when the vendor billed it: when there was an
  answer, or a stream that began. A call that failed before has none, unless failures are asked for;
- what comes after the answer, an exception of the application's too, changes nothing of it.

Limits: one call is for one thread or task at a time. Chunks are held, at most CHUNKS_AT_ONCE at a time, until the
emitter's thread has taken what it needs of them; do not change what was handed over.
"""

import time
from types import TracebackType
from typing import Any, Final, Protocol, Self

from producers.emitter.attribution import CURRENT
from producers.emitter.chunks import KeptChunks
from producers.emitter.outcome import Outcome, outcome_of
from producers.emitter.reports import CallReport, ChunksReport

CHUNKS_AT_ONCE: Final = 32


class Recorder(Protocol):
    """What a call reports to: the emitter. Neither method raises or blocks."""

    def take_call(self, report: CallReport) -> bool:
        """Take a call that has ended."""

    def take_chunks(self, report: ChunksReport) -> None:
        """Take chunks of a stream that goes on."""

    def note_unanswered(self) -> None:
        """Count a call that ended well and was told no answer."""


class Call:
    """A call that is being made; from `Emitter.call`.

    attempt: the number of the attempt that is under way, from 1.
    """

    __slots__ = (
        "_answer",
        "_attribution",
        "_begun_at",
        "_chunks",
        "_ended",
        "_failure",
        "_fields",
        "_kept",
        "_last_at",
        "_model",
        "_record_failures",
        "_recorder",
        "_surface",
        "_ttft_ms",
        "_vendor",
        "attempt",
    )

    def __init__(
        self,
        recorder: Recorder,
        *,
        vendor: str,
        model: str = "",
        surface: str | None = None,
        record_failures: bool = False,
        fields: dict[str, Any] | None = None,
    ) -> None:
        self._recorder = recorder
        self._vendor = vendor
        self._model = model
        self._surface = surface
        self._record_failures = record_failures
        self._fields: dict[str, Any] = fields or {}
        self._attribution = CURRENT.get()
        self._begun_at: float = time.perf_counter()
        self._last_at: float | None = None
        self._ttft_ms: float | None = None
        self._answer: Any = None
        self._kept: KeptChunks | None = None
        self._chunks: list[Any] = []
        self._failure: Outcome | None = None
        self._ended = False
        self.attempt = 1

    def begin(self) -> Self:
        """The call is sent now: durations count from here. Entering the block does this."""
        self._begun_at = time.perf_counter()
        self._attribution = CURRENT.get()
        return self

    def describe(
        self, *, vendor: str = "", model: str = "", surface: str | None = None, **fields: Any
    ) -> None:
        """What turns out only after the call was made: as the arguments of `Emitter.call`, in place of those."""
        self._vendor = vendor or self._vendor
        self._model = model or self._model
        self._surface = surface if surface is not None else self._surface
        self._fields.update(fields)

    def first_token(self) -> None:
        """The first token is here: ttft_ms. Without this call the first chunk counts as such."""
        if self._ttft_ms is None:
            self._ttft_ms = self._elapsed_ms(time.perf_counter())

    def answer(self, body: object) -> None:
        """What the vendor answered: a JSON object, its text, or what the vendor's client returned.

        duration_ms ends here. Of several answers the last counts.
        """
        if body is not None and not self._ended:
            self._last_at = time.perf_counter()
            self._answer = body

    def chunk(self, body: object) -> None:
        """The next chunk of a streamed answer, of the same types. duration_ms ends with the last one."""
        if body is None or self._ended:
            return
        self._last_at = time.perf_counter()
        if self._kept is None:
            self._kept = KeptChunks()
            if self._ttft_ms is None:
                self._ttft_ms = self._elapsed_ms(self._last_at)
        self._chunks.append(body)
        if len(self._chunks) >= CHUNKS_AT_ONCE:
            chunks, self._chunks = self._chunks, []
            self._recorder.take_chunks(ChunksReport(self._kept, chunks))

    def failed(self, error: BaseException) -> None:
        """The call failed with `error`, which the block does not raise. Of several failures the last counts."""
        if not self._ended:
            self._failure = outcome_of(error)

    def retried(self, error: BaseException | None = None) -> None:
        """An attempt failed with `error` and another one begins. duration_ms goes on over all attempts.

        An attempt whose stream had begun was billed and is reported as far as it is known; one that was not billed
        has an event of its own where failures are recorded.
        """
        if self._ended:
            return
        failure = None if error is None else outcome_of(error)
        if self._kept is not None or (failure is not None and self._record_failures):
            self._recorder.take_call(self._report(failure))
        self._answer = self._kept = self._ttft_ms = None
        self._chunks = []
        self.attempt += 1

    def discard(self) -> None:
        """There is nothing to report of this call, whatever it gave."""
        self._ended = True
        self._answer = self._kept = None
        self._chunks = []

    def end(self, error: BaseException | None = None) -> None:
        """The call is over, with `error` where it failed: report it. Leaving the block does this. Once."""
        if self._ended:
            return
        self._ended = True
        if error is not None:
            self._failure = outcome_of(error)
        if self._answer is not None or self._kept is not None or self._failure is not None:
            if self._answer is not None or self._kept is not None or self._record_failures:
                self._recorder.take_call(self._report(self._failure))
        else:
            self._recorder.note_unanswered()
        self._answer = self._kept = None
        self._chunks = []

    def __enter__(self) -> Self:
        return self.begin()

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(exception)

    async def __aenter__(self) -> Self:
        return self.begin()

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(exception)

    def _elapsed_ms(self, moment: float) -> float:
        return (moment - self._begun_at) * 1_000

    def _report(self, failure: Outcome | None) -> CallReport:
        measured: dict[str, Any] = {
            "requested_model": self._model,
            "attempt": self.attempt,
            "duration_ms": self._elapsed_ms(self._last_at or time.perf_counter()),
        }
        if self._ttft_ms is not None:
            measured["ttft_ms"] = self._ttft_ms
        return CallReport(
            vendor=self._vendor,
            surface=self._surface,
            model=self._model,
            fields=measured | self._fields,
            attribution=self._attribution,
            ended_at=time.time(),
            answer=self._answer,
            kept=self._kept,
            last_chunks=self._chunks,
            failure=failure,
            reports_failure=self._record_failures,
        )
