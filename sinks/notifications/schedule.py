"""When a channel may be told: signals that come together are one message, so many messages an hour, and patience. Pure.

What may not be sent yet waits, and goes with the next message that may: so nothing is lost by a cap.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

CAP_PERIOD: Final = timedelta(hours=1)

_FIRST_RETRY_SECONDS: Final = 5.0
_LONGEST_RETRY_SECONDS: Final = 900.0
_TOLD_TO_WAIT_SECONDS: Final = 60.0
_TOO_MANY_REQUESTS: Final = 429


def is_within_cap(now: datetime, sent_at: Sequence[datetime], per_hour: int, *, is_critical: bool) -> bool:
    """Whether one more message may go now. The last of an hour's messages is kept for what is critical."""
    lately = sum(1 for one in sent_at if now - one < CAP_PERIOD)
    return lately < (per_hour if is_critical else max(1, per_hour - 1))


def is_gathered(now: datetime, first_at: datetime, group_seconds: float) -> bool:
    """Whether the first signal of a message has waited long enough for others."""
    return now - first_at >= timedelta(seconds=group_seconds)


def retry_at(now: datetime, failures: int, chance: float, status: int | None = None) -> datetime:
    """When to try again after so many failures in a row (1 or more).

    The wait doubles from 5 seconds to 15 minutes. chance: from 0 to 1, spreads it over its upper half, so that channels
    that failed together do not come back together. status: of HTTP, where known; who says 429 has a minute at least.
    """
    longest = min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20))
    seconds = longest * (0.5 + chance / 2)
    if status == _TOO_MANY_REQUESTS:
        seconds = max(seconds, _TOLD_TO_WAIT_SECONDS)
    return now + timedelta(seconds=seconds)
