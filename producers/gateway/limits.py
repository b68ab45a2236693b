"""How much a sender may send: token buckets in memory, one a sender. Pure: the clock comes in as an argument.

A bucket holds BURST_SECONDS of its rate and may be overdrawn once by a body that is larger; then it has to fill up
again. Limits: at most MAX_SENDERS are remembered, those that came last; a forgotten one starts with a full bucket.
Each gateway process counts for itself, and nothing outlives it.
"""

import math
from collections import OrderedDict
from typing import Final

BURST_SECONDS: Final = 5.0
MAX_SENDERS: Final = 10_000


class Buckets:
    """Buckets of one kind. rate_per_second: what flows in; 0 for no limit."""

    def __init__(self, rate_per_second: float) -> None:
        self._rate = rate_per_second
        self._capacity = max(self._rate * BURST_SECONDS, 1.0)
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, key: str, now: float) -> int:
        """In how many whole seconds this sender may send again; 0 for at once. now: of any steady clock, seconds."""
        if not self._rate:
            return 0
        level = self._level(key, now)
        return 0 if level >= 1.0 else max(1, math.ceil((1.0 - level) / self._rate))

    def take(self, key: str, amount: float, now: float) -> None:
        """Takes out what was sent, below nothing if it must be."""
        if not self._rate:
            return
        self._levels[key] = (self._level(key, now) - amount, now)
        self._levels.move_to_end(key)
        if len(self._levels) > MAX_SENDERS:
            self._levels.popitem(last=False)

    def _level(self, key: str, now: float) -> float:
        level, then = self._levels.get(key, (self._capacity, now))
        return min(self._capacity, level + max(0.0, now - then) * self._rate)
