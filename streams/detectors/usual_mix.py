"""What models a tenant's calls are usually made of, by owner, and what they are made of now: the two ends of a bridge.

Each group keeps its usage as a fading sum: what lies HALF_LIFE_HOURS back counts half. Groups that are part of an
incident are not learnt from while it lasts.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec

from streams.detectors.cost_bridge import Step, Usage, bridge
from streams.detectors.levels import LEVELS, LevelKey
from streams.detectors.minute import GroupRow
from streams.windows import GroupSums
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.usage.event import TOKEN_FIELDS

HALF_LIFE_HOURS: Final = 48.0
RECENT_MINUTES: Final = 10
_FADE: Final = 0.5 ** (1 / HALF_LIFE_HOURS)
_NEGLIGIBLE_CALLS: Final = 0.01
_INPUT: Final = TOKEN_FIELDS.index("input_tokens")
_CACHED: Final = TOKEN_FIELDS.index("cache_read_tokens")
_OUTPUT: Final = TOKEN_FIELDS.index("output_tokens")
_FIELDS: Final = tuple(sorted({field for level in LEVELS for field in level}))
_HARDLY: Final = 0.1
_FORM: Final = 1

_PLACES: Final = tuple(tuple(_FIELDS.index(field) for field in level) for level in LEVELS)
_MODEL: Final = (_FIELDS.index("vendor"), _FIELDS.index("model"))

_Group = tuple[str, ...]
"""The values of _FIELDS."""

_group_of: Final[Any] = itemgetter(*_FIELDS)


def usage_of(sums: GroupSums) -> Usage:
    """The figures of a bridge."""
    return Usage(
        sums.calls,
        sums.tokens[_INPUT],
        sums.tokens[_CACHED],
        sums.tokens[_OUTPUT],
        sums.cost_picos / PICOS_PER_UNIT,
    )


class UsualMix:
    """One tenant's usual usage by group."""

    def __init__(self) -> None:
        self._usual: dict[_Group, Usage] = {}
        self._hours = 0.0
        self._spent_usd: float | None = None
        """What `_usual` comes to; None where it has changed since it was last asked for."""
        self._of_level: dict[LevelKey, dict[str, Usage]] = {}
        """What it is of each level that was asked about since it has changed: an open minute is looked at often."""
        self._recent: deque[tuple[int, list[tuple[_Group, Usage]]]] = deque()

    def add(
        self, minute: int, rows: Sequence[GroupRow], *, frozen: Callable[[Mapping[str, str]], bool]
    ) -> None:
        """Take note of a whole minute. frozen: says of which groups nothing is to be learnt now."""
        if minute % 60 == 0:
            self._fade()
        self._hours += 1 / 60
        self._spent_usd, self._of_level = None, {}
        recent: list[tuple[_Group, Usage]] = []
        for row in rows:
            group = _group_of(row.names)
            usage = usage_of(row.sums)
            recent.append((group, usage))
            if not frozen(row.names):
                self._usual.setdefault(group, Usage()).add(usage)
        self._recent.append((minute, recent))
        while self._recent and self._recent[0][0] <= minute - RECENT_MINUTES:
            self._recent.popleft()

    def _fade(self) -> None:
        self._hours *= _FADE
        for group, usage in list(self._usual.items()):
            faded = Usage()
            faded.add(usage, _FADE)
            if faded.calls < _NEGLIGIBLE_CALLS:
                del self._usual[group]
            else:
                self._usual[group] = faded

    def usd_per_day(self) -> float:
        """What the tenant usually spends."""
        if self._spent_usd is None:
            self._spent_usd = float(sum(usage.cost_usd for usage in self._usual.values()))
        return self._spent_usd / self._hours * 24 if self._hours >= 1 else 0.0

    def calls(self, key: LevelKey, usual_usd: float, minutes: float) -> float:
        """How many calls a level usually makes in so many minutes: where they cost `usual_usd`, and over the days."""
        usual = self._usually(key)
        calls = sum(usage.calls for usage in usual.values())
        cost = sum(usage.cost_usd for usage in usual.values())
        over_days = calls / self._hours / 60 * minutes if self._hours else 0.0
        return max(over_days, usual_usd * calls / cost if cost else 0.0)

    def unusual_share(self, key: LevelKey, more: Iterable[GroupRow] = ()) -> float:
        """How much of what a level has cost in the last minutes is the cost of models it usually hardly calls."""
        return _unusual(self._usually(key), self._now(key, more))

    def unusual_share_of(self, key: LevelKey, rows: Iterable[GroupRow]) -> float:
        """How much of what these rows cost a level is the cost of models it usually hardly calls."""
        now: dict[str, Usage] = {}
        _gather(now, _used(rows), key)
        return _unusual(self._usually(key), now)

    def bridge(
        self, key: LevelKey, more: Iterable[GroupRow], cost_usd: float, usual_usd: float
    ) -> list[Step]:
        """The steps from the usual cost of a level to its present one, both of an hour. more: of the open minute.

        The mix of now is that of the last minutes; both ends are brought to the given costs by their calls.
        """
        before, after = self._usually(key), self._now(key, more)
        return bridge(_at_cost(before, usual_usd), _at_cost(after, cost_usd))

    def _usually(self, key: LevelKey) -> Mapping[str, Usage]:
        """What a level usually uses, by model."""
        usual = self._of_level.get(key)
        if usual is None:
            usual = self._of_level[key] = {}
            _gather(usual, self._usual.items(), key)
        return usual

    def _now(self, key: LevelKey, more: Iterable[GroupRow]) -> Mapping[str, Usage]:
        """What a level used in the last minutes, by model."""
        now: dict[str, Usage] = {}
        for _, rows in self._recent:
            _gather(now, rows, key)
        _gather(now, _used(more), key)
        return now

    def state(self) -> bytes:
        """All of it, as plain data."""
        usual = [(list(group), _figures(usage)) for group, usage in self._usual.items()]
        recent = [
            (minute, [(list(group), _figures(usage)) for group, usage in rows])
            for minute, rows in self._recent
        ]
        return msgspec.msgpack.encode((_FORM, self._hours, usual, recent))

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave. Raises ValueError for another form."""
        try:
            form, hours, usual, recent = msgspec.msgpack.decode(state)
            if form != _FORM:
                raise ValueError(f"a state of a usual mix of the form {form}, not {_FORM}")
            self._hours, self._spent_usd, self._of_level = hours, None, {}
            self._usual = {tuple(group): Usage(*figures) for group, figures in usual}
            self._recent = deque(
                (minute, [(tuple(group), Usage(*figures)) for group, figures in rows])
                for minute, rows in recent
            )
        except (msgspec.MsgspecError, TypeError) as error:
            raise ValueError(f"no state of a usual mix: {error}") from error


def _figures(usage: Usage) -> tuple[float, ...]:
    return (usage.calls, usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.cost_usd)


def _used(rows: Iterable[GroupRow]) -> Iterator[tuple[_Group, Usage]]:
    return ((_group_of(row.names), usage_of(row.sums)) for row in rows)


def _gather(into: dict[str, Usage], used: Iterable[tuple[_Group, Usage]], key: LevelKey) -> None:
    """Add up by model what the groups of a level used. It passes over all groups: nothing else is done with most."""
    number, values = key
    if not values:
        chosen = used
    elif len(values) == 1:
        (place,), (value,) = _PLACES[number], values
        chosen = (one for one in used if one[0][place] == value)
    else:
        of_level: Any = itemgetter(*_PLACES[number])
        chosen = (one for one in used if of_level(one[0]) == values)
    vendor, model = _MODEL
    for group, usage in chosen:
        into.setdefault(f"{group[vendor]}/{group[model]}", Usage()).add(usage)


def _unusual(usual: Mapping[str, Usage], now: Mapping[str, Usage]) -> float:
    cost = sum(usage.cost_usd for usage in now.values())
    little = _HARDLY * sum(usage.calls for usage in usual.values())
    unusual = sum(
        usage.cost_usd for model, usage in now.items() if model not in usual or usual[model].calls < little
    )
    return unusual / cost if cost else 0.0


def _at_cost(models: Mapping[str, Usage], cost_usd: float) -> dict[str, Usage]:
    total = sum(usage.cost_usd for usage in models.values())
    if not total:
        return {}
    brought: dict[str, Usage] = {}
    for model, usage in models.items():
        brought[model] = Usage()
        brought[model].add(usage, cost_usd / total)
    return brought
