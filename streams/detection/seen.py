"""Which partial sums were taken, so that one that Kafka delivers twice is added once.

A partial bears the position and time of the usage message that it was made of (`MinuteWindow.partial_id`). A meter goes
through a partition in order, so within a tenant these positions rise; where a meter is started anew, the last of them
come again. Remembered are the highest position of each usage partition, the LATEST ones exactly, and which groups of
the latest message came, as a message can come in pieces.

Limit: a position that is lower and not among the latest is taken for one of a usage topic that was made anew where
its time is later than that of the highest, and else for one that came before. Of more than some thousand partitions,
the one that was silent for longest is forgotten.
"""

from collections import deque
from typing import Final

import msgspec

from streams.windows import GroupKey

LATEST: Final = 256
_MOST_LANES: Final = 4096
_CLOCKS_APART_MS: Final = 60_000


class _Lane(msgspec.Struct):
    """One partition of the usage topic."""

    offset: int
    time_ms: int
    keys: set[GroupKey]
    latest: deque[tuple[int, int]]


class Seen:
    """The partials of one tenant."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}

    def is_new(self, partial_id: str, key: GroupKey) -> bool:
        """Whether the partial was not taken yet; it then is. Anything that is not named as ours are is new."""
        place = _place(partial_id)
        if place is None:
            return True
        partition, offset, time_ms = place
        lane = self._lanes.get(partition)
        if lane is None or (offset, time_ms) != (lane.offset, lane.time_ms):
            if lane is not None:
                if offset <= lane.offset and (
                    (offset, time_ms) in lane.latest or time_ms <= lane.time_ms + _CLOCKS_APART_MS
                ):
                    return False
                lane.latest.append((lane.offset, lane.time_ms))
                lane.offset, lane.time_ms, lane.keys = offset, time_ms, set()
            else:
                if len(self._lanes) >= _MOST_LANES:
                    del self._lanes[min(self._lanes, key=lambda one: (self._lanes[one].time_ms, one))]
                lane = self._lanes[partition] = _Lane(offset, time_ms, set(), deque(maxlen=LATEST))
        if key in lane.keys:
            return False
        lane.keys.add(key)
        return True

    def state(self) -> dict[str, tuple[int, int, list[GroupKey], list[tuple[int, int]]]]:
        """As plain data."""
        return {
            partition: (lane.offset, lane.time_ms, sorted(lane.keys), list(lane.latest))
            for partition, lane in sorted(self._lanes.items())
        }

    @classmethod
    def restored(cls, state: dict[str, tuple[int, int, list[GroupKey], list[tuple[int, int]]]]) -> "Seen":
        """What `state` gave."""
        seen = cls()
        for partition, (offset, time_ms, keys, latest) in state.items():
            seen._lanes[partition] = _Lane(offset, time_ms, set(keys), deque(latest, maxlen=LATEST))
        return seen


def _place(partial_id: str) -> tuple[str, int, int] | None:
    """(`topic/partition`, offset, time in ms) of `<topic>/<partition>/<offset>@<time>`."""
    partition, _, rest = partial_id.rpartition("/")
    offset, _, time_ms = rest.partition("@")
    try:
        return partition, int(offset), int(time_ms)
    except ValueError:
        return None
