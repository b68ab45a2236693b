"""Workloads that still call a model which the catalog says is deprecated, is about to stop, or has stopped.

One condition for each (vendor, model) as calls name it. A model counts as going from the day of its deprecation, or
where none is known half a year before it stops. It counts as called once a user has called it twenty times or over
more than a day, and the model has been watched for a day (an hour, within a week of its end), so that a day's worth can
be told; until it has not been called for three days, or for a week where its calls are few.

What it would cost on the successor is told where that is honest: the mean call of each user at today's price of the
successor, and only where the same reckoning on the model itself comes near what was really paid. Conditions are said
when they begin, and then once an hour.
"""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final, NamedTuple

import msgspec

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import GroupRow, TenantMinute
from streams.detectors.model_use import Owner, Use, User, mean_call_usd, owner_of, user_of
from streams.detectors.retirement_report import Exposure, OnSuccessor, UserShare, exposed
from tokenweir.catalog import Catalog

_VERSION: Final = 1
_NOTICE_DAYS: Final = 180
_DAY: Final = 1440
_WEEK: Final = 7 * _DAY
_FEWEST_CALLS: Final = 20
_SILENT_MINUTES: Final = 3 * _DAY
_SILENT_MINUTES_OF_FEW: Final = 7 * _DAY + 60
_FEW_A_DAY: Final = 10
_LEAST_AGE: Final = _DAY
_LEAST_AGE_OF_URGENT: Final = 60
"""In minutes: before, a day's calls cannot well be told from what was seen."""

_URGENT_DAYS: Final = 7

_HONEST: Final = 0.15
"""So far the reckoned cost of what was paid may be from it, in parts of it."""

Name = tuple[str, str]


class Going(NamedTuple):
    """A model that is going. retires_on: None where the day is not known. successor: as (vendor, model)."""

    retires_on: date | None
    deprecated_on: date | None
    successor: Name | None


class _Model(msgspec.Struct):
    """What is called. since: the minute at which the watch began. said_since: None where it is not said."""

    since: int
    users: dict[User, Use] = msgspec.field(default_factory=dict)
    said_since: int | None = None
    first_usd: float = 0.0
    """A day, as first said. In the first week it stands: what the days of a week differ by is no change."""


class _State(msgspec.Struct):
    version: int
    models: list[tuple[str, str, _Model]]


def going(catalog: Catalog, vendor: str, name: str, day: date) -> Going | None:
    """Whether a model is going on a day, and what the catalog says of it."""
    model = catalog.model(vendor, name, on=day)
    if model is None:
        return None
    left = (model.retires_on - day).days if model.retires_on is not None else None
    announced = left is not None and left <= _NOTICE_DAYS and model.deprecated_on is None
    if not announced and model.state_on(day) not in ("deprecated", "retired"):
        return None
    replacements = catalog.successors(vendor, name, on=day)
    first = next((one for one in replacements if one.successor.recommended), None)
    first = first or next(iter(replacements), None)
    successor = None
    if first is not None:
        successor = (first.successor.vendor, first.model.model if first.model else first.successor.model)
    return Going(model.retires_on, model.deprecated_on, successor)


class Retirements:
    """One tenant's exposure to models that are going."""

    kind: ClassVar[str] = "retirement"
    early: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings) -> None:
        self._book = surroundings.book
        self._catalog = surroundings.catalog
        self._models: dict[Name, _Model] = {}
        self._day: date | None = None
        self._going: dict[Name, Going | None] = {}

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """What is so, said when it begins and once an hour."""
        if not minute.is_whole:
            return []
        day = minute.start.date()
        if day != self._day:
            self._day, self._going = day, {}
        for row in minute.rows:
            self._add(row, minute.minute, day)
        for _, row in minute.late:
            self._add(row, minute.minute, day)
        is_hour = minute.minute % 60 == 59
        if is_hour:
            self._forget(minute.minute)
        return list(self._conditions(minute, day, is_hour))

    def state(self) -> bytes:
        """All that it knows, as MessagePack."""
        models = [(vendor, name, model) for (vendor, name), model in self._models.items()]
        return msgspec.msgpack.encode(_State(_VERSION, models))

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave."""
        try:
            read = msgspec.msgpack.decode(state, type=_State)
        except msgspec.DecodeError as error:
            raise ValueError(f"no state of retirements: {error}") from error
        if read.version != _VERSION:
            raise ValueError(f"state of retirements in version {read.version}, not {_VERSION}")
        self._models = {(vendor, name): model for vendor, name, model in read.models}
        self._day = None

    def _add(self, row: GroupRow, now: int, day: date) -> None:
        vendor, name = row.names["vendor"], row.names["model"]
        if self._going_on(vendor, name, day) is None:
            return
        model = self._models.setdefault((vendor, name), _Model(now))
        use = model.users.setdefault(user_of(row.names), Use(now, now, now // 60))
        use.add(now, row.sums)

    def _going_on(self, vendor: str, name: str, day: date) -> Going | None:
        key = (vendor, name)
        if key not in self._going:
            self._going[key] = going(self._catalog, vendor, name, day)
        return self._going[key]

    def _forget(self, now: int) -> None:
        for key, model in list(self._models.items()):
            model.users = {
                user: use
                for user, use in model.users.items()
                if now - use.last
                < (
                    _SILENT_MINUTES_OF_FEW
                    if use.calls / use.days(model.since, now) < _FEW_A_DAY
                    else _SILENT_MINUTES
                )
            }
            if not model.users:
                del self._models[key]

    def _conditions(self, minute: TenantMinute, day: date, is_hour: bool) -> Iterator[Condition]:
        for (vendor, name), model in sorted(self._models.items()):
            facts = self._going_on(vendor, name, day)
            if facts is None or (model.said_since is not None and not is_hour):
                continue
            least_age = _LEAST_AGE_OF_URGENT if _is_urgent(facts, day) else _LEAST_AGE
            if model.said_since is None and minute.minute + 1 - model.since < least_age:
                continue
            users = {
                user: use
                for user, use in model.users.items()
                if use.all_calls >= _FEWEST_CALLS or use.last - use.since > _DAY
            }
            if not users:
                continue
            shares = _shares(users, model.since, minute.minute)
            if model.said_since is None:
                model.said_since = min(use.since for use in users.values())
                model.first_usd = sum(share.usd for share in shares)
            settled = minute.minute - model.since >= _WEEK
            yield exposed(
                Exposure(
                    vendor,
                    name,
                    day,
                    facts.retires_on,
                    facts.deprecated_on,
                    facts.successor,
                    model.said_since,
                    shares,
                    self._on_successor((vendor, name), facts.successor, users, model.since, minute),
                    sum(share.usd for share in shares) if settled else model.first_usd,
                )
            )

    def _on_successor(
        self, own: Name, successor: Name | None, users: dict[User, Use], since: int, minute: TenantMinute
    ) -> OnSuccessor | None:
        """USD a day on the successor and now; None where it cannot be said honestly."""
        if successor is None:
            return None
        now_usd = reckoned_usd = new_usd = 0.0
        for user, use in sorted(users.items()):
            served = use.calls - use.failed_calls
            old, new = (
                mean_call_usd(self._book, *name, user, use.tokens, served, minute.start)
                for name in (own, successor)
            )
            if served <= 0 or old is None or new is None:
                continue
            days = use.days(since, minute.minute)
            now_usd += use.cost_usd / days
            reckoned_usd += old * served / days
            new_usd += new * served / days
        if now_usd <= 0 or abs(reckoned_usd - now_usd) > _HONEST * now_usd:
            return None
        return OnSuccessor(new_usd, now_usd)


def _is_urgent(facts: Going, day: date) -> bool:
    return facts.retires_on is not None and abs((facts.retires_on - day).days) <= _URGENT_DAYS


def _shares(users: dict[User, Use], since: int, now: int) -> tuple[UserShare, ...]:
    """What each workload does a day, the dearest first."""
    summed: dict[Owner, list[float]] = {}
    for user, use in users.items():
        sums, days = summed.setdefault(owner_of(user), [0.0, 0.0, 0.0]), use.days(since, now)
        for place, count in enumerate((use.calls, use.cost_usd, use.failed_calls)):
            sums[place] += count / days
    shares = [UserShare(owner, calls, usd, failed / calls) for owner, (calls, usd, failed) in summed.items()]
    return tuple(sorted(shares, key=lambda share: (-share.usd, -share.calls, share.owner)))


DETECTOR = Retirements
