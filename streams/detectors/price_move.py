"""Prices that changed, of models in use: who is affected, by how much a day, and a week later whether volume followed.

What counts is a change of the rates in the price book, from one minute to the next. Not told are: exchange rates, hours
and days for which a price has always been another (a schedule), and rows that were mended for a time long past. A
change that the book learns of late is told when it does, with the time from which it holds.

A price of a model that the book does not know is looked for in what its calls were reported to cost
(`streams.detectors.reported_rates`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import ClassVar, Final, NamedTuple

import msgspec

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.minute import GroupRow, TenantMinute
from streams.detectors.model_use import Owner, Use, User, mean_call_usd, owner_of, user_of
from streams.detectors.price_move_report import Affected, Move, Volume, moved, volume
from streams.detectors.reported_rates import ReportedRates
from streams.groups import EPOCH, MINUTE
from tokenweir.pricing import PriceBook
from tokenweir.pricing.history import changes
from tokenweir.pricing.price import Price

_VERSION: Final = 1
_DAY: Final = 1440
_FEWEST_CALLS: Final = 20
_LEAST_CHANGE: Final = 0.01
_FORGET_MINUTES: Final = 14 * _DAY
_FOLLOW_DAYS: Final = 7
_KEPT_DAYS: Final = 2 * _FOLLOW_DAYS + 2
_FEWEST_DAYS: Final = 3
"""Known before a move, to tell whether volume followed."""

Name = tuple[str, str]
Way = tuple[str, str]
"""Service tier and region."""


class _Model(msgspec.Struct):
    """One in use. rates: a digest of the price of each way in which it is called; empty where there is none."""

    since: int
    users: dict[User, Use] = msgspec.field(default_factory=dict)
    rates: dict[Way, str] = msgspec.field(default_factory=dict)
    calls: dict[int, int] = msgspec.field(default_factory=dict)
    """By day since the Unix epoch."""


class _Followed(msgspec.Struct, array_like=True):
    """A move whose volume is to be told. ratio: of the price after to the one before; None where that was 0."""

    vendor: str
    model: str
    day: int
    ratio: float | None


class _State(msgspec.Struct):
    version: int
    first_day: int
    models: list[tuple[str, str, _Model]]
    calls: dict[int, int]
    followed: list[_Followed]
    reported: ReportedRates


class _Change(NamedTuple):
    """A price of one way to call a model, the last moment at which the old one held, and the first of the new one."""

    way: Way
    old: Price
    new: Price
    old_at: datetime
    new_at: datetime


class PriceMoves:
    """One tenant's prices."""

    kind: ClassVar[str] = "price_move"
    early: ClassVar[bool] = False

    def __init__(self, surroundings: Surroundings) -> None:
        self._book = surroundings.book
        self._first_day = -1
        self._models: dict[Name, _Model] = {}
        self._calls: dict[int, int] = {}
        self._followed: list[_Followed] = []
        self._reported = ReportedRates()
        self._prices: dict[tuple[Name, Way], Price | None] = {}

    def observe(self, minute: TenantMinute) -> list[Condition]:
        """The prices that moved in this minute, and the volumes that are to be told a week after."""
        if not minute.is_whole:
            return []
        now = minute.minute
        if self._first_day < 0:
            self._first_day = now // _DAY
        conditions = list(self._moves(minute))
        for row in minute.rows:
            self._add(row, now, now)
        for late_minute, row in minute.late:
            self._add(row, late_minute, now)
        conditions += self._reported.observe(minute, self._is_priced)
        if now % _DAY == 0:
            conditions += self._volumes(now // _DAY)
            self._forget(now)
        return conditions

    def state(self) -> bytes:
        """All that it knows, as MessagePack."""
        models = [(vendor, name, model) for (vendor, name), model in self._models.items()]
        return msgspec.msgpack.encode(
            _State(_VERSION, self._first_day, models, self._calls, self._followed, self._reported)
        )

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave."""
        try:
            read = msgspec.msgpack.decode(state, type=_State)
        except msgspec.DecodeError as error:
            raise ValueError(f"no state of price moves: {error}") from error
        if read.version != _VERSION:
            raise ValueError(f"state of price moves in version {read.version}, not {_VERSION}")
        self._first_day, self._calls, self._followed = read.first_day, read.calls, read.followed
        self._models = {(vendor, name): model for vendor, name, model in read.models}
        self._reported, self._prices = read.reported, {}

    def _add(self, row: GroupRow, minute: int, now: int) -> None:
        names, sums = row
        name, user = (names["vendor"], names["model"]), user_of(names)
        model = self._models.setdefault(name, _Model(now))
        model.users.setdefault(user, Use(now, now, now // 60)).add(now, sums)
        day = minute // _DAY
        model.calls[day] = model.calls.get(day, 0) + sums.calls
        self._calls[day] = self._calls.get(day, 0) + sums.calls
        way = _way(user)
        if way not in model.rates:
            price = self._price(name, way, EPOCH + now * MINUTE)
            model.rates[way], self._prices[name, way] = _digest(price), price

    def _price(self, name: Name, way: Way, at: datetime) -> Price | None:
        return self._book.lookup(*name, at, service_tier=way[0], region=way[1])

    def _is_priced(self, row: GroupRow) -> bool:
        return bool(self._models[row.names["vendor"], row.names["model"]].rates[_way(user_of(row.names))])

    def _moves(self, minute: TenantMinute) -> Iterator[Condition]:
        for name, model in sorted(self._models.items()):
            found = [
                change
                for way in sorted(model.rates)
                if (change := self._change(name, model, way, minute.start)) is not None
            ]
            if found and sum(use.all_calls for use in model.users.values()) >= _FEWEST_CALLS:
                yield from self._told(name, model, found, minute.minute)

    def _change(self, name: Name, model: _Model, way: Way, at: datetime) -> _Change | None:
        """What changed of one way's price since the minute before, or since it was last looked at."""
        new = self._price(name, way, at)
        known = self._prices.get((name, way), _UNSEEN)
        if new is known:
            return None
        self._prices[name, way] = new
        digest, before = _digest(new), model.rates[way]
        model.rates[way] = digest
        if digest == before or new is None or not before:
            return None
        # A price that was learnt of late is compared with the one before its own beginning.
        begins = [at] if new.valid_from is None or new.valid_from >= at else [at, new.valid_from]
        for new_at in begins:
            old_at = new_at - timedelta(microseconds=1)
            old = self._price(name, way, old_at)
            if old is None or _digest(old) != before:
                continue
            if (old.schedule or new.schedule) and new_at not in (new.starts_at, old.ends_at):
                return None
            return _Change(way, old, new, old_at, new_at)
        return None

    def _told(self, name: Name, model: _Model, found: list[_Change], now: int) -> Iterator[Condition]:
        summed: dict[Owner, list[float]] = {}
        for change in found:
            for user, use in model.users.items():
                if _way(user) == change.way:
                    sums = summed.setdefault(owner_of(user), [0.0, 0.0, 0.0])
                    for place, figure in enumerate(
                        _affected(self._book, name, model, user, use, change, now)
                    ):
                        sums[place] += figure
        known = [Affected(owner, *sums) for owner, sums in summed.items() if sums[0] > 0]
        old_usd, new_usd = sum(one.old_usd for one in known), sum(one.new_usd for one in known)
        if abs(new_usd - old_usd) < _LEAST_CHANGE * max(old_usd, new_usd) or old_usd == new_usd:
            return
        first = found[0]
        percents = changes(first.old, first.new)
        rates = {rate: f"{percent:+}" for rate, percent in percents.items()}
        known.sort(key=lambda one: (-abs(one.new_usd - one.old_usd), one.owner))
        yield moved(Move(*name, first.new_at, old_usd, new_usd, rates, first.new.price_id, tuple(known)))
        day = (first.new_at - EPOCH) // (_DAY * MINUTE)
        if day - self._first_day >= _FEWEST_DAYS and day == now // _DAY:
            ratio = new_usd / old_usd if old_usd else None
            self._followed.append(_Followed(*name, day, ratio))

    def _volumes(self, day: int) -> Iterator[Condition]:
        """Of the moves a week before the day that has just ended."""
        due = [one for one in self._followed if day > one.day + _FOLLOW_DAYS]
        self._followed = [one for one in self._followed if day <= one.day + _FOLLOW_DAYS]
        for one in due:
            model = self._models.get((one.vendor, one.model))
            first = max(self._first_day + 1, one.day - _FOLLOW_DAYS)
            before, after = range(first, one.day), range(one.day + 1, one.day + 1 + _FOLLOW_DAYS)
            if not before:
                continue
            calls = model.calls if model is not None else {}
            yield volume(
                Volume(
                    one.vendor,
                    one.model,
                    EPOCH + one.day * _DAY * MINUTE,
                    one.ratio,
                    _mean(calls, before),
                    _mean(calls, after),
                    _mean(self._calls, before),
                    _mean(self._calls, after),
                )
            )

    def _forget(self, now: int) -> None:
        oldest = now // _DAY - _KEPT_DAYS
        self._calls = _since(self._calls, oldest)
        for name, model in list(self._models.items()):
            model.calls = _since(model.calls, oldest)
            model.users = {user: use for user, use in model.users.items() if now - use.last < _FORGET_MINUTES}
            ways = {_way(user) for user in model.users}
            model.rates = {way: digest for way, digest in model.rates.items() if way in ways}
            if not model.users:
                del self._models[name]
        self._prices = {
            (name, way): price
            for (name, way), price in self._prices.items()
            if name in self._models and way in self._models[name].rates
        }


_UNSEEN: Final = object()


def _affected(
    book: PriceBook, name: Name, model: _Model, user: User, use: Use, change: _Change, now: int
) -> tuple[float, float, float]:
    """A user's calls a day, and USD at the price before and at the one after; zeros where they cannot be priced."""
    served = use.calls - use.failed_calls
    old = mean_call_usd(book, *name, user, use.tokens, served, change.old_at)
    new = mean_call_usd(book, *name, user, use.tokens, served, change.new_at)
    if old is None or new is None:
        return 0.0, 0.0, 0.0
    calls = served / use.days(model.since, now)
    return calls, old * calls, new * calls


def _way(user: User) -> Way:
    return user[3], user[4]


def _digest(price: Price | None) -> str:
    """Of what calls cost by the price, whatever it is called and wherever it comes from; the same in every process."""
    if price is None:
        return ""
    said = (price.currency, price.cards, price.factor, sorted(price.factor_of), price.no_price)
    return blake2b(repr(said).encode(), digest_size=12).hexdigest()


def _mean(calls: dict[int, int], days: range) -> float:
    return sum(calls.get(day, 0) for day in days) / len(days)


def _since(calls: dict[int, int], oldest: int) -> dict[int, int]:
    return {day: count for day, count in calls.items() if day >= oldest}


DETECTOR = PriceMoves
