"""Where price rows come from: the form that every source has, and the source over rows at hand."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from tokenweir.pricing.price import Price


class PriceSource(Protocol):
    """Where rows come from: a feed, a data file, a table."""

    def rows_for(self, vendor: str, model: str) -> Sequence[Price]:
        """Rows that mean the model, in an order in which a later one wins over an equal earlier one."""

    def rows(self) -> Iterator[Price]:
        """Every row."""

    def recorded_times(self) -> set[datetime]:
        """When any of the rows became known."""


class RowSource:
    """A PriceSource over rows at hand. Rows that name their models are found by name, only the others by rule."""

    def __init__(self, rows: Iterable[Price]) -> None:
        self._rows = tuple(rows)
        self._by_name: dict[tuple[str, str], list[int]] = {}
        self._by_rule: dict[str, list[int]] = {}
        for position, row in enumerate(self._rows):
            rules = row.match.rules if row.match.operation == "or" else (row.match,)
            if all(rule.operation == "equals" for rule in rules):
                for name in {rule.text.lower() for rule in rules}:
                    self._by_name.setdefault((row.vendor, name), []).append(position)
            else:
                self._by_rule.setdefault(row.vendor, []).append(position)

    def rows_for(self, vendor: str, model: str) -> list[Price]:
        """Rows of the vendor that mean the model, in the order they came."""
        name = model.lower()
        positions = [
            *self._by_name.get((vendor, name), ()),
            *(at for at in self._by_rule.get(vendor, ()) if self._rows[at].match.holds(name)),
        ]
        return [self._rows[position] for position in sorted(positions)]

    def rows(self) -> Iterator[Price]:
        """Every row."""
        return iter(self._rows)

    def recorded_times(self) -> set[datetime]:
        """When any of the rows became known."""
        return {row.recorded_at for row in self._rows}
