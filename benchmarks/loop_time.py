"""Within what time a runaway loop has to be told: 75 seconds, or by its thirtieth call where it makes fewer by then.

A loop is calls, and what tells it from calls that happened to fall together is how many they are. Of a service that
makes some ten calls an hour, by twos and threes, ten come in two or three minutes now and then; thirty never do.
"""

from typing import Final

SOON_SECONDS: Final = 75.0
SOON_CALLS: Final = 30


def its_time_seconds(calls_per_minute: float) -> float:
    """The time within which a loop is to be told that makes so many calls."""
    return max(SOON_SECONDS, 60 * SOON_CALLS / calls_per_minute)
