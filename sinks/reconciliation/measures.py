"""What is compared: tokens by kind, requests and dollars, added up by day, model and key on both sides.

A measure that a side does not have is None and stays None when added to another None; added to a number it is 0.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

_N = TypeVar("_N", int, Decimal)


class Key(NamedTuple):
    """What two sums must agree in to be compared; "" and None where a side does not tell."""

    day: date | None = None
    model: str = ""
    api_key: str = ""


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Measures:
    """Sums of one side. cost is USD. Never changed once made; not frozen, as a month has hundreds of thousands."""

    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    requests: int | None = None
    cost: Decimal | None = None

    def __add__(self, other: "Measures") -> "Measures":
        if self is NOTHING:
            return other
        if other is NOTHING:
            return self
        return Measures(
            input_tokens=_sum(self.input_tokens, other.input_tokens),
            cache_read_tokens=_sum(self.cache_read_tokens, other.cache_read_tokens),
            cache_write_tokens=_sum(self.cache_write_tokens, other.cache_write_tokens),
            output_tokens=_sum(self.output_tokens, other.output_tokens),
            requests=_sum(self.requests, other.requests),
            cost=_sum(self.cost, other.cost),
        )

    @property
    def tokens(self) -> int:
        """Input and output."""
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    @property
    def cached_tokens(self) -> int:
        """Read from or written to a cache."""
        return (self.cache_read_tokens or 0) + (self.cache_write_tokens or 0)


NOTHING: Final = Measures()
"""No figure at all."""


def _sum(one: Any, other: Any) -> Any:
    if one is None:
        return other
    return one if other is None else one + other


@dataclass(slots=True)
class Pair:
    """Both sides of one key."""

    bill: Measures = NOTHING
    ledger: Measures = NOTHING

    @property
    def tokens_drift(self) -> int:
        """How many tokens the ledger has more than the bill."""
        return self.ledger.tokens - self.bill.tokens

    @property
    def cost_drift(self) -> Decimal:
        """How many dollars the ledger has more than the bill."""
        return (self.ledger.cost or Decimal(0)) - (self.bill.cost or Decimal(0))


@dataclass(slots=True)
class Table:
    """Pairs by key. dimensions: those of day, model and api_key that both sides can be told apart by."""

    dimensions: frozenset[str]
    pairs: dict[Key, Pair] = field(default_factory=dict)

    def key(self, day: date, model: str, api_key: str) -> Key:
        """The key under which something is added up here."""
        return Key(
            day if "day" in self.dimensions else None,
            model if "model" in self.dimensions else "",
            api_key if "api_key" in self.dimensions else "",
        )

    def add(self, key: Key, *, bill: Measures = NOTHING, ledger: Measures = NOTHING) -> None:
        """Adds to one side of a key."""
        pair = self.pairs.setdefault(key, Pair())
        pair.bill, pair.ledger = pair.bill + bill, pair.ledger + ledger

    def by(self, *dimensions: str) -> "Table":
        """The same sums by fewer dimensions."""
        coarser = Table(self.dimensions & set(dimensions))
        for key, pair in self.pairs.items():
            coarser.add(
                Key(
                    key.day if "day" in coarser.dimensions else None,
                    key.model if "model" in coarser.dimensions else "",
                    key.api_key if "api_key" in coarser.dimensions else "",
                ),
                bill=pair.bill,
                ledger=pair.ledger,
            )
        return coarser

    def renamed(self, dimension: str, name: str, other: str) -> "Table":
        """The same sums with a model or key under another name."""
        if dimension not in self.dimensions:
            return self
        table = Table(self.dimensions)
        for key, pair in self.pairs.items():
            if getattr(key, dimension) == name:
                place = key._replace(model=other) if dimension == "model" else key._replace(api_key=other)
            else:
                place = key
            table.add(place, bill=pair.bill, ledger=pair.ledger)
        return table

    def series(self) -> Iterator[tuple[Key, list[tuple[date, Pair]]]]:
        """By model and key: the days in order."""
        days: dict[Key, list[tuple[date, Pair]]] = {}
        for key, pair in self.pairs.items():
            if key.day is not None:
                days.setdefault(key._replace(day=None), []).append((key.day, pair))
        for key, found in sorted(days.items(), key=lambda item: (item[0].model, item[0].api_key)):
            yield key, sorted(found, key=lambda item: item[0])

    def total(self) -> Pair:
        """Everything."""
        pair = Pair()
        for one in self.pairs.values():
            pair.bill, pair.ledger = pair.bill + one.bill, pair.ledger + one.ledger
        return pair


def agree(one: _N, other: _N, tolerance: Decimal) -> bool:
    """Whether two sums are the same within a share of the larger."""
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def tokens_agree(pair: Pair, tolerance: Decimal) -> bool:
    """Whether both kinds of tokens are the same on both sides."""
    return agree(pair.bill.input_tokens or 0, pair.ledger.input_tokens or 0, tolerance) and agree(
        pair.bill.output_tokens or 0, pair.ledger.output_tokens or 0, tolerance
    )


def covered(table: Table, measure: Callable[[Measures], int | Decimal]) -> tuple[Decimal, Decimal]:
    """How much of what is billed the ledger knows, and how much is billed: by model and key, over all days."""
    known, billed = Decimal(0), Decimal(0)
    for pair in table.by("model", "api_key").pairs.values():
        there = max(Decimal(measure(pair.bill)), Decimal(0))
        billed += there
        known += min(there, Decimal(measure(pair.ledger)))
    return known, billed


def summed(measures: Iterable[Measures]) -> Measures:
    """All of them."""
    total = NOTHING
    for one in measures:
        total = total + one
    return total
