"""What the generator acts on: moves between models, an outage, a loop, a pack, growth. All times Unix milliseconds.

A plot knows nothing of how it was chosen (`planning`) nor of how calls look (`calls`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

BREAKER_OPENS_MS: Final = 8 * MINUTE_MS
"""How long a fleet takes to stop asking a vendor that is down, workload by workload."""

BREAKER_CLOSES_MS: Final = 10 * MINUTE_MS
"""How long it takes to trust the vendor again."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One workload going over to `to_model`, slowly at both ends, until `share` of its calls have moved."""

    to_model: str
    begins_ms: int
    ends_ms: int
    share: float

    def share_at(self, at_ms: int) -> float:
        """The share of calls that have moved at `at_ms`."""
        if at_ms < self.begins_ms:
            return 0.0
        if at_ms >= self.ends_ms:
            return self.share
        way = (at_ms - self.begins_ms) / (self.ends_ms - self.begins_ms)
        return self.share * way * way * (3 - 2 * way)


@dataclass(frozen=True, slots=True)
class Outage:
    """A vendor that answers `error_share` of its calls with an error."""

    vendor: str
    begins_ms: int
    ends_ms: int
    error_share: float

    def avoided_share_at(self, at_ms: int) -> float:
        """The share of calls that go straight to the failover at `at_ms`, without asking this vendor first."""
        if at_ms < self.begins_ms:
            return 0.0
        most = 0.85
        if at_ms < self.ends_ms:
            return most * min(1.0, (at_ms - self.begins_ms) / BREAKER_OPENS_MS)
        return most * max(0.0, 1 - (at_ms - self.ends_ms) / BREAKER_CLOSES_MS)


@dataclass(frozen=True, slots=True)
class Loop:
    """One workload calling `ratio` times its mean rate, beside what it does anyway."""

    workload: str
    begins_ms: int
    ends_ms: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Pack:
    """Free tokens that cover a model's calls of some workloads until they are used up."""

    name: str
    workloads: frozenset[str]
    model: str
    exhausted_ms: int


@dataclass(frozen=True, slots=True)
class Retired:
    """A model that answers nothing from `at_ms` on."""

    model: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Plot:
    """All of it. `shifts` by workload in order of time; `growth_per_day` by workload, 0.03 for 3 % a day."""

    shifts: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    growth_per_day: Mapping[str, float] = field(default_factory=dict)
    outage: Outage | None = None
    loop: Loop | None = None
    pack: Pack | None = None
    retired: Retired | None = None
