"""Where price rows come from: the form that every source has, the rows of one vendor, and the source over rows at hand.

A source is asked for one vendor's model at a time, so it makes ready what that vendor has and nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, Protocol

from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Price
from tokenweir.pricing.rule_index import RuleIndex


class PriceSource(Protocol):
    """Where rows come from: a feed, a data file, a table."""

    def rows_for(self, vendor: str, model: str) -> Sequence[Price]:
        """Rows that mean the model, in an order in which a later one wins over an equal earlier one."""

    def rows(self) -> Iterator[Price]:
        """Every row."""

    def recorded_times(self) -> set[datetime]:
        """When any of the rows became known."""


class SourceByVendor(PriceSource, Protocol):
    """A PriceSource that keeps its rows vendor by vendor."""

    def vendors(self) -> Sequence[str]:
        """Vendors that it has rows of, in the order in which it tells them."""

    def vendor_rows(self, vendor: str) -> "VendorRows | None":
        """What it has of a vendor; None where that is nothing."""


class RowGroup(Protocol):
    """Rows of one vendor with one rule."""

    @property
    def match(self) -> Match:
        """Which models the rows are for."""

    @property
    def rows(self) -> Sequence[Price]:
        """The rows, in order."""


class GroupAtHand(NamedTuple):
    """A RowGroup whose rows are there."""

    match: Match
    rows: Sequence[Price]


class VendorRows:
    """The rows of one vendor, found by the models that they mean.

    borrowed: groups that it takes from others, after its own; they are found as its own are, but are not told again
    among all rows.
    """

    def __init__(self, groups: Iterable[RowGroup], borrowed: Iterable[RowGroup] = ()) -> None:
        self.groups = tuple(groups)
        self.borrowed = tuple(borrowed)
        self._all = self.groups + self.borrowed
        self._index = RuleIndex(group.match for group in self._all)

    def meaning(self, model: str) -> list[Sequence[Price]]:
        """The rows of each group that means the model, in order."""
        return [self._all[position].rows for position in self._index.holding(model.lower())]

    def rows_for(self, model: str) -> list[Price]:
        """All rows that mean the model, in order."""
        return [row for rows in self.meaning(model) for row in rows]

    def rows(self) -> Iterator[Price]:
        """Every row of its own."""
        for group in self.groups:
            yield from group.rows


def grouped(rows: Iterable[Price]) -> VendorRows:
    """Rows of one vendor; neighbours with the same rule are one group."""
    return VendorRows(GroupAtHand(match, tuple(run)) for match, run in groupby(rows, attrgetter("match")))


class RowSource:
    """A SourceByVendor over rows at hand."""

    def __init__(self, rows: Iterable[Price]) -> None:
        self._rows = tuple(rows)
        self._of_vendor: dict[str, list[Price]] = {}
        for row in self._rows:
            self._of_vendor.setdefault(row.vendor, []).append(row)
        self._found: dict[str, VendorRows] = {}

    def vendors(self) -> list[str]:
        """Vendors that it has rows of, in the order in which they first came."""
        return list(self._of_vendor)

    def vendor_rows(self, vendor: str) -> VendorRows | None:
        """The rows of a vendor, in the order they came; None where there are none."""
        found = self._found.get(vendor)
        if found is None and vendor in self._of_vendor:
            found = self._found[vendor] = grouped(self._of_vendor[vendor])
        return found

    def rows_for(self, vendor: str, model: str) -> list[Price]:
        """Rows of the vendor that mean the model, in the order they came."""
        found = self.vendor_rows(vendor)
        return [] if found is None else found.rows_for(model)

    def rows(self) -> Iterator[Price]:
        """Every row."""
        return iter(self._rows)

    def recorded_times(self) -> set[datetime]:
        """When any of the rows became known."""
        return {row.recorded_at for row in self._rows}
