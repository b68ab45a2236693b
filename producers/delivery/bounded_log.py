"""Warnings at a bounded rate: a failure that repeats a thousand times a second is said once, with its count."""

import logging
import threading
import time
from collections.abc import Callable


class BoundedLog:
    """Says at most one warning per kind and interval. Safe to call from any thread; never raises."""

    def __init__(
        self,
        logger: logging.Logger,
        *,
        interval_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._lock = threading.RLock()  # a handler may come back here in the same thread
        self._next_at: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def warning(self, kind: str, sentence: str) -> None:
        """Log `sentence`, or count it where one of its kind was logged within the interval."""
        now = self._clock()
        with self._lock:
            if now < self._next_at.get(kind, now):
                self._held_back[kind] = self._held_back.get(kind, 0) + 1
                return
            self._next_at[kind] = now + self._interval_seconds
            held_back = self._held_back.pop(kind, 0)
        if held_back:
            sentence = f"{sentence} (and {held_back} times more since it was last said)"
        self._logger.warning("%s", sentence)
