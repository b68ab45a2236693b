"""When a workload calls: by hour of the local day and by day of the local week, in the team's own time zone.

A rhythm's weights have a mean of one over a week without clock changes, so that a workload's calls a day are
its mean. Daylight saving moves a rhythm in UTC by an hour, as it does in a real office.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Relative load at each full hour of the local day, and by weekday from Monday."""

    hours: tuple[float, ...]
    weekdays: tuple[float, ...]

    def weight(self, local: datetime) -> float:
        """The load at `local` as a multiple of the week's mean; between full hours on a straight line."""
        hour = local.hour
        within = (local.minute + local.second / 60) / 60
        here = self.hours[hour] * (1 - within) + self.hours[(hour + 1) % 24] * within
        return here * self.weekdays[local.weekday()]


def _normalised(hours: tuple[float, ...], weekdays: tuple[float, ...]) -> Rhythm:
    mean_hour = sum(hours) / 24
    mean_day = sum(weekdays) / 7
    return Rhythm(tuple(h / mean_hour for h in hours), tuple(d / mean_day for d in weekdays))


_OFFICE: Final = (2, 1, 1, 1, 1, 2, 5, 16, 42, 78, 98, 96, 70, 74, 96, 100, 92, 74, 40, 20, 12, 8, 5, 3)
_CONSUMER: Final = (
    22,
    12,
    7,
    5,
    5,
    8,
    18,
    34,
    46,
    52,
    56,
    60,
    66,
    62,
    58,
    60,
    66,
    76,
    90,
    100,
    98,
    84,
    62,
    38,
)
_NIGHTLY: Final = (4, 60, 100, 70, 8, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2)
_STEADY: Final = (96, 96, 96, 96, 96, 96, 97, 98, 100, 102, 104, 104, 103, 103, 104, 104, 103, 101, 100) + (
    98,
) * 5

RHYTHMS: Final[dict[str, Rhythm]] = {
    "office": _normalised(_OFFICE, (1.0, 1.05, 1.06, 1.04, 0.92, 0.14, 0.11)),
    "consumer": _normalised(_CONSUMER, (0.95, 0.94, 0.95, 0.97, 1.05, 1.12, 1.08)),
    "nightly": _normalised(_NIGHTLY, (1.0, 1.0, 1.0, 1.0, 1.0, 0.6, 0.6)),
    "steady": _normalised(_STEADY, (1.0,) * 7),
}
"""By name: office hours, consumers' evenings, a nightly batch, round the clock."""
