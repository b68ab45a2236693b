"""The body of a urllib3 response, observed where it is read.

Its reading methods are replaced on the one object, so that whatever holds it (botocore's StreamingBody, EventStream)
reads through them, and its class stays what it is. They may call one another, differently by release; only the
outermost is looked at. Known to work with urllib3 2 and urllib3.future 2.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from producers.instrumentation.observation import Observation, StreamAborted

_READING: Final = ("read", "read1")
_ITERATING: Final = ("stream", "read_chunked")


def observe_raw(raw: Any, observation: Observation, length: int | None) -> None:
    """From here on `observation` is told what is read of `raw`. length: bytes of the whole body, where it is stated."""
    reading = _Reading(observation, length)
    for name in _READING:
        if hasattr(raw, name):
            setattr(raw, name, reading.observed(getattr(raw, name)))
    for name in _ITERATING:
        if hasattr(raw, name):
            setattr(raw, name, reading.observed_iterator(getattr(raw, name)))
    raw.close = reading.observed_close(raw.close)


class _Reading:
    """How far a body was read. depth: of the reading methods that are under way."""

    def __init__(self, observation: Observation, length: int | None) -> None:
        self._observation = observation
        self._length = length
        self._seen = 0
        self._depth = 0

    def observed(self, read: Callable[..., bytes]) -> Callable[..., bytes]:
        def observed_read(*args: Any, **kwargs: Any) -> bytes:
            self._depth += 1
            try:
                data = read(*args, **kwargs)
            except BaseException as error:
                self._depth -= 1
                self._observation.finished(error)
                raise
            self._depth -= 1
            if self._depth == 0:
                amount = args[0] if args else kwargs.get("amt")
                self._look(data)
                if amount is None or amount < 0 or (not data and amount > 0):
                    self._observation.finished()
            return data

        return observed_read

    def observed_iterator(self, iterate: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
        def observed_iterate(*args: Any, **kwargs: Any) -> Iterator[bytes]:
            pieces = iterate(*args, **kwargs)
            try:
                while True:
                    self._depth += 1
                    try:
                        data = next(pieces, None)
                    finally:
                        self._depth -= 1
                    if data is None:
                        break
                    if self._depth == 0:
                        self._look(data)
                    yield data
            except BaseException as error:
                self._observation.finished(StreamAborted() if isinstance(error, GeneratorExit) else error)
                raise
            if self._depth == 0:
                self._observation.finished()

        return observed_iterate

    def observed_close(self, close: Callable[[], None]) -> Callable[[], None]:
        def observed() -> None:
            try:
                close()
            finally:
                self._observation.finished(StreamAborted())

        return observed

    def _look(self, data: bytes) -> None:
        self._observation.feed(data)
        self._seen += len(data)
        if self._seen == self._length:
            self._observation.finished()
