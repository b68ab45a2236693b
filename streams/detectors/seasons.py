"""What time of day and of the week does to each of many series: an offset from its level, and how far it then strays.

A day, or whatever else is taken for it, has slots; a week has hours. A slot's first value is taken as it is; later ones
move it less and less, and none by more than it is told to. The week only corrects the day, and only in part until it
was seen more than once. Times are UTC: a rhythm in local time moves by an hour when clocks change, which the level's
fast follower takes up.
"""

from typing import Final, NamedTuple

import numpy as np

from streams.detectors.tails import Floats, Indexes

DAY_SECONDS: Final = 86_400.0
_HOUR_SECONDS: Final = 3_600.0
_WEEK_HOURS: Final = 168
_DAYS_KEPT: Final = 7.0
_WEEKS_KEPT: Final = 4.0
_MOST: Final = 60_000


class Slot(NamedTuple):
    """A moment's place in the day and in the week."""

    of_day: int
    of_week: int


class Season(NamedTuple):
    """What the season says of m series at a moment. offsets, strays: log units; visits: values seen in this slot."""

    offsets: Floats
    strays: Floats
    visits: Floats


class Seasons:
    """Offsets of many series, by slot of the day and hour of the week.

    A moment touches one slot of all series, so those lie side by side: slot by series (see `series_arrays`).
    """

    FIELDS: Final = ("day", "stray", "day_visits", "week", "week_visits")

    def __init__(
        self, step_seconds: float, slots: int, has_weeks: bool = True, day_seconds: float = DAY_SECONDS
    ) -> None:
        self._has_weeks = has_weeks
        self._day_seconds = day_seconds
        self.slots = slots
        self._per_slot = max(1.0, day_seconds / step_seconds / slots)
        self._per_hour = max(1.0, _HOUR_SECONDS / step_seconds)
        self.day = np.zeros((slots, 0), np.float32)
        self.stray = np.zeros((slots, 0), np.float32)
        self.day_visits = np.zeros((slots, 0), np.uint16)
        self.week = np.zeros((_WEEK_HOURS, 0), np.float32)
        self.week_visits = np.zeros((_WEEK_HOURS, 0), np.uint16)

    def slot(self, at_seconds: float) -> Slot:
        """The place of a moment (Unix seconds)."""
        of_day = int(at_seconds % self._day_seconds / self._day_seconds * self.slots) % self.slots
        return Slot(of_day, int(at_seconds // _HOUR_SECONDS) % _WEEK_HOURS if self._has_weeks else 0)

    def at(self, series: Indexes, slot: Slot) -> Season:
        """What is known of the series at this place."""
        week_visits = self.week_visits[slot.of_week, series].astype(np.float64)
        correction = self.week[slot.of_week, series] * (week_visits / (week_visits + 1))
        return Season(
            self.day[slot.of_day, series] + correction,
            self.stray[slot.of_day, series].astype(np.float64),
            self.day_visits[slot.of_day, series].astype(np.float64),
        )

    def learn(
        self, series: Indexes, slot: Slot, season: Season, offsets: Floats, steps: Floats, strayed: Floats
    ) -> None:
        """Take note of a moment.

        offsets: of the value from the level, for slots never seen. steps: how far the value lay from what was usual.
        strayed: how far from what was expected. The caller has bounded both.
        """
        visits = np.minimum(season.visits + 1, _MOST)
        seen = season.visits > 0
        share = 1 / np.minimum(visits, _DAYS_KEPT * self._per_slot)
        self.day[slot.of_day, series] = np.where(seen, self.day[slot.of_day, series] + steps * share, offsets)
        self.stray[slot.of_day, series] += np.where(seen, (strayed - season.strays) * share, 0.0)
        self.day_visits[slot.of_day, series] = visits
        if not self._has_weeks:
            return
        week_visits = np.minimum(self.week_visits[slot.of_week, series] + seen, _MOST)
        half_share = 0.5 / np.minimum(np.maximum(week_visits, 1), _WEEKS_KEPT * self._per_hour)
        self.week[slot.of_week, series] += np.where(seen, steps * half_share, 0.0)
        self.week_visits[slot.of_week, series] = week_visits
