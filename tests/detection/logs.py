"""A partition of the windows topic made by hand, for the tests of what reads it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from streams.detection.control import TICK_HEADERS
from streams.detection.partition import LogMessage, PartitionDetection
from streams.windows import GroupSums, encode_windows
from tests.detectors.small import DearTeams
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Signal
from tokenweir.usage.event import GROUP_FIELDS

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp()) * 1000
NOON_MINUTE = NOON_MS // 60_000

SETTINGS = DetectionSettings(
    close_after_seconds=10, hold_seconds=5, early_seconds=5, checkpoint_seconds=60, forget_days=1
)


def key_of(tenant: str = "acme", team: str = "search", minute: int = 0) -> tuple[str | int, ...]:
    """A group and a minute, counted from noon."""
    names = dict.fromkeys(GROUP_FIELDS, "") | {"tenant": tenant, "team": team, "vendor": "v", "model": "m"}
    return (*names.values(), NOON_MINUTE + minute)


def windows(
    cents: int,
    *,
    minute: int = 0,
    tenant: str = "acme",
    team: str = "search",
    offset: int = 0,
    partition: int = 0,
) -> bytes:
    """One call that cost so many cents, in a minute counted from noon; offset: of the usage message."""
    sums = GroupSums()
    sums.calls = 1
    sums.statuses["ok"] = 1
    sums.cost_picos = cents * 10**10
    partial_id = f"usage/{partition}/{offset}@{NOON_MS + offset}"
    return encode_windows({key_of(tenant, team, minute): sums}, partial_id)[0][1]


class Log:
    """Messages of a partition in order; times are seconds after noon."""

    def __init__(self) -> None:
        self.messages: list[LogMessage] = []

    def add(self, seconds: float, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """A message at this time."""
        time_ms = NOON_MS + round(seconds * 1000)
        self.messages.append(LogMessage(len(self.messages), time_ms, headers, value))

    def tick(self, *seconds: float) -> None:
        """Ticks at these times."""
        for one in seconds:
            self.add(one, b"", TICK_HEADERS)


def told(signals: Sequence[Signal]) -> list[tuple[str, str, float]]:
    """(state, team, seconds after noon) of each."""
    return [
        (signal.state, signal.scope["team"], (signal.observed_at - NOON) / timedelta(seconds=1))
        for signal in signals
    ]


def detection() -> PartitionDetection:
    """Of one small detector for each tenant, knowing nothing."""
    return PartitionDetection(lambda: [DearTeams()], SETTINGS)
