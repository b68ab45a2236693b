"""The body of a urllib3 response, observed where it is read.

The one object gets a class derived from its own, whose reading methods look on, so that whatever holds it (botocore's
StreamingBody, EventStream) reads through them and `isinstance` says what it said. Replacing methods on the object
would have it refer to itself, and a response that nobody closes would keep its connection until a collection.
The methods may call one another, differently by release; only the outermost is looked at. Known to work with urllib3 2
and urllib3.future 2.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from producers.instrumentation.observation import Observation, StreamAborted

_READING: Final = ("read", "read1")
_ITERATING: Final = ("stream", "read_chunked")
_STATE: Final = "_tokenweir_reading"


def observe_raw(raw: Any, observation: Observation, length: int | None) -> None:
    """From here on `observation` is told what is read of `raw`. length: bytes of the whole body, where it is stated."""
    setattr(raw, _STATE, _Reading(observation, length))
    kind: Any = type(raw)
    raw.__class__ = _observed_class(kind)


class _Reading:
    """How far a body was read. depth: of the reading methods that are under way."""

    def __init__(self, observation: Observation, length: int | None) -> None:
        self.observation = observation
        self.depth = 0
        self._length = length
        self._seen = 0

    def look(self, data: bytes) -> None:
        self.observation.feed(data)
        self._seen += len(data)
        if self._seen == self._length:
            self.observation.finished()


@cache
def _observed_class(kind: Any) -> type:
    methods: dict[str, Any] = {"close": _closing(kind)}
    for names, observed in ((_READING, _reading), (_ITERATING, _iterating)):
        methods.update((name, observed(getattr(kind, name))) for name in names if hasattr(kind, name))
    same = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind,), {**same, **methods})


def _reading(read: Callable[..., bytes]) -> Callable[..., bytes]:
    def observed(self: Any, *args: Any, **kwargs: Any) -> bytes:
        state: _Reading = getattr(self, _STATE)
        state.depth += 1
        try:
            data = read(self, *args, **kwargs)
        except BaseException as error:
            state.observation.finished(error)
            raise
        finally:
            state.depth -= 1
        if state.depth == 0:
            amount = args[0] if args else kwargs.get("amt")
            state.look(data)
            if amount is None or amount < 0 or (not data and amount > 0):
                state.observation.finished()
        return data

    return observed


def _iterating(iterate: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    def observed(self: Any, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        state: _Reading = getattr(self, _STATE)
        pieces = iterate(self, *args, **kwargs)
        try:
            while True:
                state.depth += 1
                try:
                    data = next(pieces, None)
                finally:
                    state.depth -= 1
                if data is None:
                    break
                if state.depth == 0:
                    state.look(data)
                yield data
        except BaseException as error:
            state.observation.finished(StreamAborted() if isinstance(error, GeneratorExit) else error)
            raise
        if state.depth == 0:
            state.observation.finished()

    return observed


def _closing(kind: Any) -> Callable[[Any], None]:
    close: Callable[[Any], None] = kind.close

    def observed(self: Any) -> None:
        try:
            close(self)
        finally:
            state: _Reading = getattr(self, _STATE)
            state.observation.finished(StreamAborted())

    return observed
