"""What a re-pricing changed: calls and costs, before and after, by vendor and model. Sums of exact amounts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from tokenweir.money import decimal_from_picos, picos_from_decimal

Place = tuple[str, str]
"""vendor, model"""


@dataclass(slots=True)
class Change:
    """The changed calls of one model. `…_picos` sum 10^-12 USD over the calls that have a price."""

    changed_calls: int = 0
    priced_calls_before: int = 0
    priced_calls_after: int = 0
    newly_priced_calls: int = 0
    newly_unpriced_calls: int = 0
    cost_before_picos: int = 0
    cost_after_picos: int = 0

    def add(self, other: "Change") -> None:
        """Count what `other` counts, too."""
        for field in fields(Change):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @property
    def difference_picos(self) -> int:
        """What it costs more, by how much less where it is negative; a call without a price adds nothing."""
        return self.cost_after_picos - self.cost_before_picos

    def row(self) -> dict[str, Any]:
        """For people and programs: costs are USD, None where no call has a price."""
        return {
            "changed_calls": self.changed_calls,
            "cost_before": decimal_from_picos(self.cost_before_picos) if self.priced_calls_before else None,
            "cost_after": decimal_from_picos(self.cost_after_picos) if self.priced_calls_after else None,
            "difference": decimal_from_picos(self.difference_picos),
            "newly_priced_calls": self.newly_priced_calls,
            "newly_unpriced_calls": self.newly_unpriced_calls,
        }


def change_of(before: Decimal | None, after: Decimal | None) -> Change:
    """One call that cost `before` and costs `after`, USD, None for no price."""
    return Change(
        changed_calls=1,
        priced_calls_before=int(before is not None),
        priced_calls_after=int(after is not None),
        newly_priced_calls=int(before is None and after is not None),
        newly_unpriced_calls=int(before is not None and after is None),
        cost_before_picos=picos_from_decimal(before) if before is not None else 0,
        cost_after_picos=picos_from_decimal(after) if after is not None else 0,
    )


class RepricingReport:
    """The changes of a re-pricing, and how many calls it looked at."""

    def __init__(self) -> None:
        self.calls = 0
        self.changes: dict[Place, Change] = {}

    def count(self, place: Place, change: Change) -> None:
        """Add the changes of a model."""
        self.changes.setdefault(place, Change()).add(change)

    def add(self, other: "RepricingReport") -> None:
        """Count what `other` counts, too."""
        self.calls += other.calls
        for place, change in other.changes.items():
            self.count(place, change)

    @property
    def total(self) -> Change:
        """All changes together."""
        total = Change()
        for change in self.changes.values():
            total.add(change)
        return total

    def rows(self) -> list[dict[str, Any]]:
        """A row for each vendor and model, the one that moved most first."""
        ordered = sorted(
            self.changes.items(),
            key=lambda item: (-abs(item[1].difference_picos), -item[1].changed_calls, item[0]),
        )
        return [{"vendor": vendor, "model": model, **change.row()} for (vendor, model), change in ordered]

    def as_json(self) -> dict[str, Any]:
        """The whole of it in what JSON has; amounts are integers of 10^-12 USD."""
        return {
            "calls": self.calls,
            "changes": [
                [*place, *(getattr(change, field.name) for field in fields(Change))]
                for place, change in self.changes.items()
            ],
        }

    @classmethod
    def from_json(cls, stated: Mapping[str, Any]) -> "RepricingReport":
        """What `as_json` gave."""
        report = cls()
        report.calls = stated["calls"]
        changes: Iterable[list[Any]] = stated["changes"]
        for vendor, model, *sums in changes:
            report.count((vendor, model), Change(*sums))
        return report
