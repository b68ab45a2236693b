"""One call that a client tries several times: its attempts find each other by the context that they are made in.

A client's own retries go one after the other through one thread or task, with one and the same request. So an attempt
that failed leaves the call here, in a context variable, and the next attempt of the same request takes it up: its
`attempt` grows and its duration goes on. An application that sends the very same request again after a failure does
the same, and is counted the same. Where a client says in the request which attempt it is, that is believed.

Invariant: a call that is left here is taken up by one attempt at most, however many tasks inherit the context.
"""

import time
from contextvars import ContextVar
from typing import Final

from producers.emitter.call import Call

MAX_AGE_SECONDS: Final = 600.0
"""No client waits longer between two attempts; a call that is older was given up."""


class _Left:
    """A call whose last attempt failed. calls: itself and when it began, until somebody takes it."""

    __slots__ = ("calls", "left_at", "request")

    def __init__(self, request: object, call: Call, began_at: float) -> None:
        self.request = request
        self.calls = [(call, began_at)]
        self.left_at = time.monotonic()


_LEFT: Final[ContextVar[_Left | None]] = ContextVar("tokenweir_failed_attempt", default=None)


def leave(request: object, call: Call, began_at: float) -> None:
    """An attempt at `call`, which began at `began_at` (performance counter), failed.

    request: what is equal for all attempts of a call.
    """
    _LEFT.set(_Left(request, call, began_at))


def take_up(request: object) -> tuple[Call, float] | None:
    """The call that the next attempt of `request` belongs to, and when it began; None where this is the first one."""
    left = _LEFT.get()
    if left is None:
        return None
    _LEFT.set(None)
    if left.request != request or time.monotonic() - left.left_at > MAX_AGE_SECONDS:
        return None
    try:
        return left.calls.pop()
    except IndexError:
        return None


def is_waiting() -> bool:
    """Whether a call was left in this context, so that it is worth to say what request this is."""
    return _LEFT.get() is not None
