"""The body of a response of httpx or httpx2, handed on piece by piece while an observation looks on.

Each class is mixed with its library's own byte stream, for which httpx asks before it reads. Everything else that may
be asked of the stream (`elapsed`) is asked of the one that it took the place of.

Invariants: a piece is handed on before the next is asked for; closing closes what was there before, whatever happens
here; a stream that nobody closes ends its observation when it is collected.
"""

from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

from producers.instrumentation.observation import Observation, StreamAborted
from producers.instrumentation.stream_usage import UsageHider
from producers.instrumentation.unpacking import library_of


def observed_stream(response: Any, observation: Observation, *, hides_usage: bool = False) -> Any:
    """What is to take the place of `response.stream`. hides_usage: whether a chat stream's last chunk is left out."""
    library = library_of(response)
    sync_class, async_class = _classes(library.SyncByteStream, library.AsyncByteStream)
    is_sync = isinstance(response.stream, library.SyncByteStream)
    hider = UsageHider() if hides_usage and UsageHider.fits(response) else None
    return (sync_class if is_sync else async_class)(response.stream, observation, hider)


class _Observed:
    def __init__(self, stream: Any, observation: Observation, hider: UsageHider | None) -> None:
        self._stream = stream
        self._observation = observation
        self._hider = hider

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __del__(self) -> None:
        self._observation.finished(StreamAborted())

    def _handed_on(self, data: bytes) -> bytes:
        self._observation.feed(data)
        return data if self._hider is None else self._hider.feed(data)

    def _rest(self) -> bytes:
        self._observation.finished()
        return b"" if self._hider is None else self._hider.rest()

    def _broken(self, error: BaseException) -> None:
        self._observation.finished(StreamAborted() if isinstance(error, GeneratorExit) else error)


class _ObservedSync(_Observed):
    def __iter__(self) -> Iterator[bytes]:
        try:
            for data in self._stream:
                piece = self._handed_on(data)
                if piece or not data:
                    yield piece
            piece = self._rest()
            if piece:
                yield piece
        except BaseException as error:
            self._broken(error)
            raise

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._observation.finished(StreamAborted())


class _ObservedAsync(_Observed):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = self._stream.__aiter__()
        try:
            async for data in stream:
                piece = self._handed_on(data)
                if piece or not data:
                    yield piece
            piece = self._rest()
            if piece:
                yield piece
        except BaseException as error:
            self._broken(error)
            raise
        finally:
            if hasattr(stream, "aclose"):
                await stream.aclose()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._observation.finished(StreamAborted())


@cache
def _classes(sync_stream: type, async_stream: type) -> tuple[type, type]:
    return (
        type("ObservedByteStream", (_ObservedSync, sync_stream), {}),
        type("ObservedAsyncByteStream", (_ObservedAsync, async_stream), {}),
    )
