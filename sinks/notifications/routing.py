"""Which channel is told of which signal. Pure.

Invariants:
- a channel that was told of an incident is told of its end, whatever else has changed (unless `states` leaves ends
  out), and of an incident that it was never told of it hears no end;
- a channel is never told of its own failing; of another's it is, and if no channel's choice takes that in, all are.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from tokenweir.settings import ChannelSettings
from tokenweir.signals import Signal
from tokenweir.signals.signal import SEVERITIES

CHANNEL_KIND: Final = "notification"
"""The kind of a signal that says that a channel fails; its subject is the channel."""

_OF_NO_NEWS: Final = frozenset({"better", "severity_down", "acknowledged", "muted"})

_INTO_SIGHT: Final = frozenset({"severity_up", "scope"})
"""What may bring an incident before a channel that its opening was no matter of."""


def fits(pattern: str, value: str) -> bool:
    """Whether a value fits a pattern, in which a star stands for anything and nothing else is special."""
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def matches(channel: ChannelSettings, signal: Signal) -> bool:
    """Whether kind, scope and severity of a signal are what the channel wants."""
    if SEVERITIES.index(signal.severity) < SEVERITIES.index(channel.severity):
        return False
    if channel.kinds and not any(fits(pattern, signal.kind) for pattern in channel.kinds):
        return False
    return signal.kind == CHANNEL_KIND or all(
        name in signal.scope and any(fits(pattern, signal.scope[name]) for pattern in patterns)
        for name, patterns in channel.scope.items()
    )


def matching(channels: Mapping[str, ChannelSettings], signal: Signal) -> frozenset[str]:
    """The channels whose choice takes in this signal."""
    able = {
        name: channel
        for name, channel in channels.items()
        if signal.kind != CHANNEL_KIND or name != signal.subject
    }
    found = frozenset(name for name, channel in able.items() if matches(channel, signal))
    return found or (frozenset(able) if signal.kind == CHANNEL_KIND else found)


def wants(
    channel: ChannelSettings,
    signal: Signal,
    *,
    is_matched: bool,
    is_known: bool,
    now: datetime,
    max_age: timedelta,
) -> bool:
    """Whether a channel is to be told of a signal.

    is_matched: whether its choice takes in the signal. is_known: whether it was told of the incident, or soon is.
    max_age: what was seen longer ago is news of an incident that is known, and of no other.
    """
    if signal.state == "resolved":
        return is_known and "resolved" in channel.states
    if not is_matched or signal.is_muted():
        return False
    if not is_known and (signal.change in _OF_NO_NEWS or now - signal.observed_at > max_age):
        return False
    if signal.state == "update" and signal.acknowledged_by and signal.change != "acknowledged":
        return False
    rose_into_sight = signal.change in _INTO_SIGHT and not is_known
    return signal.state in channel.states or (rose_into_sight and "open" in channel.states)
