"""How much a workload uses a model: decayed sums, so that a day's worth is that of the last days, whatever came before.

Statistics, in floats: what a day costs is told to a cent, never booked. A use knows for how long it has been watched,
so that its first hours are not taken for a whole day's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from streams.windows import GroupSums
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.pricing import PriceBook
from tokenweir.usage.event import TOKEN_FIELDS

HALF_LIFE_HOURS: Final = 168.0
_TINY: Final = 1e-6
"""Of a token: what floats are off by. Counts are cut, so that those that are part of others stay so."""

OWNER_FIELDS: Final = ("team", "project", "service")
USER_FIELDS: Final = (*OWNER_FIELDS, "service_tier", "region")

User = tuple[str, ...]
"""The values of USER_FIELDS."""


class Use(msgspec.Struct, array_like=True):
    """Of one model by one user. since and last: minutes of the first call and of the last; hour: of the sums."""

    since: int
    last: int
    hour: int
    calls: float = 0.0
    failed_calls: float = 0.0
    cost_usd: float = 0.0
    tokens: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(TOKEN_FIELDS))
    all_calls: int = 0
    """Not decayed."""

    def add(self, minute: int, sums: GroupSums) -> None:
        """Add what a minute has seen; one that comes late is taken for the latest."""
        self._decay_to(minute // 60)
        self.last = max(self.last, minute)
        self.calls += sums.calls
        self.all_calls += sums.calls
        self.failed_calls += sums.calls - sums.statuses.get("ok", 0)
        self.cost_usd += sums.cost_picos / PICOS_PER_UNIT
        self.tokens = [mine + its for mine, its in zip(self.tokens, sums.tokens, strict=True)]

    def days(self, watched_since: int, now: int) -> float:
        """For how many days' worth the sums stand, where the watch began at a minute; at least an hour's."""
        first, last = watched_since // 60, now // 60
        # The sums are those of the use's own hour, and have faded since.
        faded = float(2.0 ** ((last - self.hour) / HALF_LIFE_HOURS))
        if first == last:
            return max(1.0, (now + 1 - watched_since) / 60) / 24 * faded
        # Each whole hour weighs so much of the one after it.
        weight = float(0.5 ** (1 / HALF_LIFE_HOURS))
        begun = (first * 60 + 60 - watched_since) / 60 * weight ** (last - first)
        between = weight * (1 - weight ** (last - first - 1)) / (1 - weight)
        return max(1.0, begun + between + (now + 1 - last * 60) / 60) / 24 * faded

    def _decay_to(self, hour: int) -> None:
        if hour > self.hour:
            factor = 0.5 ** ((hour - self.hour) / HALF_LIFE_HOURS)
            self.calls *= factor
            self.failed_calls *= factor
            self.cost_usd *= factor
            self.tokens = [count * factor for count in self.tokens]
            self.hour = hour


def user_of(names: Mapping[str, str]) -> User:
    """Who uses a model in a group."""
    return tuple(names[field] for field in USER_FIELDS)


Owner = tuple[str, ...]
"""The values of OWNER_FIELDS."""


def owner_of(user: User) -> Owner:
    """Whose workload a user is, whichever tier and region it calls."""
    return user[: len(OWNER_FIELDS)]


def owner_name(owner: Owner) -> str:
    """For a sentence."""
    team, project, service = owner
    return "/".join(filter(None, (team, service))) or project or "an unnamed workload"


class MeanCall(NamedTuple):
    """The mean call of a use, for pricing it: what `PriceBook.price` reads, and the tokens by field."""

    time: datetime
    vendor: str
    model: str
    service_tier: str
    region: str
    counts: Mapping[str, int]
    units: Mapping[str, Any]
    tags: Mapping[str, str]
    status: str = "ok"
    reported_cost: None = None
    reported_currency: None = None

    def __getattr__(self, name: str) -> int:
        """A token count, by its field's name."""
        try:
            return self.counts[name]
        except KeyError:
            raise AttributeError(name) from None


def mean_call_usd(
    book: PriceBook, vendor: str, model: str, user: User, tokens: Sequence[float], calls: float, at: datetime
) -> float | None:
    """USD of the mean call on a model at a time; None where there is no price for it.

    Tiers by length are met as the mean call meets them; what is charged beside tokens, and by tags, is left out.
    """
    if calls <= 0:
        return None
    counts = {name: int(count / calls + _TINY) for name, count in zip(TOKEN_FIELDS, tokens, strict=True)}
    *_, tier, region = user
    picos = book.price(MeanCall(at, vendor, model, tier, region, counts, {}, {})).cost_picos
    return picos / PICOS_PER_UNIT if picos is not None else None
