"""What a ledger must hold, worked out from the reports alone: a dict by (tenant, id), the fuller report kept."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent
from tokenweir.usage.version import fullness

_PICO = Decimal("1E-12")


@dataclass(slots=True)
class LedgerModel:
    """Reports in order of sending; `totals` over distinct calls."""

    book: PriceBook
    _kept: dict[tuple[str, str], UsageEvent] = field(default_factory=dict)

    def add(self, events: Iterable[UsageEvent]) -> None:
        """Takes more reports."""
        for event in events:
            name = (event.tenant, event.id)
            known = self._kept.get(name)
            if known is None or fullness(event) >= fullness(known):
                self._kept[name] = event

    def totals(self) -> dict[str, Any]:
        """calls, unpriced_calls, tokens, and cost as Decimal USD."""
        costs = [self.book.price(event).cost_picos for event in self._kept.values()]
        return {
            "calls": len(self._kept),
            "unpriced_calls": costs.count(None),
            "input_tokens": sum(event.input_tokens for event in self._kept.values()),
            "cache_read_tokens": sum(event.cache_read_tokens for event in self._kept.values()),
            "output_tokens": sum(event.output_tokens for event in self._kept.values()),
            "cost": Decimal(sum(cost for cost in costs if cost is not None)) * _PICO,
        }
