"""Allowances: free tiers and prepaid packs of tokens or of any unit, which calls use up before they cost anything.

An allowance is for some models of one vendor, as much in each period for each account. The form in which a company
writes one is told in docs/allowances.md, with what vendors do.

Of several allowances that fit a call the one whose period ends first is used first, then the one known earlier, then
the one that stands first in the file. So do vendors: "the package that expires soonest is deducted first" (Zhipu, FAQ
on fees, read November 2026), and for packages that fill up again "the one whose reset period ends first" (Huawei Cloud,
billing FAQ 6100011, read November 2026).

Rows of one id are one allowance: a row with a later `recorded_at` corrects an earlier one while both hold.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import BEGINNING, END, Period, region_holds, service_tier_name

Every = Literal["once", "day", "month"]
EVERY: Final[tuple[Every, ...]] = ("once", "day", "month")

ACCOUNT_FIELDS: Final = (
    "tenant",
    "team",
    "project",
    "service",
    "environment",
    "user",
    "api_key",
    "region",
    "model",
)
"""What can make an account: each combination of values has an allowance to itself."""

Account = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Allowance(Period):
    """`amount` for each account in each period, from `valid_from` up to but not `valid_to`.

    vendor: who sends the bill. match: None for all its models. weights: what one of each kind takes of the amount, by
    token component, unit, or `requests` for a whole call. factors: for some models, of which the first that holds is
    used, what `weights` are multiplied by or the weights in their place. every: how often it is there anew, by the
    days or months of `zone`, an IANA name. account_fields: of ACCOUNT_FIELDS; none for one account in all. where: the
    values that fields of a call must have. service_tiers, regions: empty for any.
    """

    allowance_id: str
    vendor: str
    match: Match | None
    amount: int
    recorded_at: datetime
    source: str
    weights: Mapping[str, Fraction]
    factors: tuple[tuple[Match, Fraction | Mapping[str, Fraction]], ...] = ()
    every: Every = "once"
    zone: str = "UTC"
    account_fields: tuple[str, ...] = ("tenant",)
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    service_tiers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def is_for(self, event: Any, names: Sequence[str]) -> bool:
        """Whether it is for the call, were it to hold then. names: what its model is called, in lower case."""
        return (
            event.vendor == self.vendor
            and (self.match is None or any(map(self.match.holds, names)))
            and (not self.service_tiers or service_tier_name(event.service_tier) in self.service_tiers)
            and region_holds(self.regions, event.region)
            and all(getattr(event, field) in values for field, values in self.where)
        )

    def weights_for(self, names: Sequence[str]) -> Mapping[str, Fraction]:
        """What one of each kind takes where the model has these names, in lower case."""
        for match, factor in self.factors:
            if any(map(match.holds, names)):
                if isinstance(factor, Fraction):
                    return {kind: weight * factor for kind, weight in self.weights.items()}
                return factor
        return self.weights

    @property
    def kinds(self) -> set[str]:
        """Everything that it weighs, for one model or another."""
        tables = [factor for _, factor in self.factors if isinstance(factor, Mapping)]
        return {kind for weights in (self.weights, *tables) for kind in weights}

    def account_of(self, event: Any) -> Account:
        """The values of the account fields."""
        return tuple(getattr(event, field) for field in self.account_fields)

    def period_at(self, moment: datetime) -> tuple[datetime, datetime]:
        """The period in which `moment` lies, in UTC; cut to the time in which the allowance holds."""
        if self.every == "once":
            return self.starts_at, self.ends_at
        zone = ZoneInfo(self.zone)
        day = moment.astimezone(zone).date()
        if self.every == "day":
            next_day = day + timedelta(days=1)
        else:
            day = day.replace(day=1)
            next_day = (day + timedelta(days=32)).replace(day=1)
        return max(_midnight(day, zone), self.starts_at), min(_midnight(next_day, zone), self.ends_at)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Where the local day begins. Where clocks skip midnight this is the moment at which they do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


class Fitting(NamedTuple):
    """An allowance that a call may use, with the period in which the call lies."""

    allowance: Allowance
    starts_at: datetime
    ends_at: datetime


class Allowances:
    """A company's allowances, in the order of its file."""

    def __init__(self, allowances: Iterable[Allowance] = ()) -> None:
        self._allowances = tuple(allowances)
        self._by_vendor: dict[str, list[tuple[int, Allowance]]] = {}
        for position, allowance in enumerate(self._allowances):
            self._by_vendor.setdefault(allowance.vendor, []).append((position, allowance))

    def __bool__(self) -> bool:
        return bool(self._allowances)

    def __iter__(self) -> Iterator[Allowance]:
        return iter(self._allowances)

    @property
    def vendors(self) -> tuple[str, ...]:
        """The vendors that any of them is for."""
        return tuple(self._by_vendor)

    def fitting(self, event: Any, names: Sequence[str], known_at: datetime | None = None) -> list[Fitting]:
        """The allowances that a call may use, in the order in which it does.

        names: what its model is called, in lower case. known_at: only what was known then (None: all that is known).
        """
        known = END if known_at is None else known_at
        moment = event.time
        latest: dict[str, tuple[tuple[datetime, int], Allowance]] = {}
        for position, allowance in self._by_vendor.get(event.vendor, ()):
            if allowance.recorded_at <= known and allowance.starts_at <= moment < allowance.ends_at:
                rank = (allowance.recorded_at, position)
                other = latest.get(allowance.allowance_id)
                if other is None or other[0] < rank:
                    latest[allowance.allowance_id] = (rank, allowance)
        fitting = [
            (Fitting(allowance, *allowance.period_at(moment)), rank)
            for rank, allowance in latest.values()
            if allowance.is_for(event, names)
        ]
        fitting.sort(key=lambda pair: (pair[0].ends_at, *pair[1]))
        return [fits for fits, _ in fitting]

    def counting_from(self, vendor: str, moment: datetime) -> datetime:
        """From when on the vendor's calls have to be looked at to know what is left of each allowance at `moment`.

        One allowance's use depends on what another one left to it, so this is the start of the earliest period that
        hangs together with those that hold then.
        """
        start = moment
        # No day or month can be told so long ago.
        while start != BEGINNING:
            periods = [
                allowance.period_at(start)[0]
                for _, allowance in self._by_vendor.get(vendor, ())
                if allowance.starts_at <= start < allowance.ends_at
            ]
            earliest = min(periods, default=start)
            if earliest >= start:
                break
            start = earliest
        return start
