"""What is new of an incident since a channel was last told: its waiting signals as one. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from tokenweir.signals import Signal
from tokenweir.signals.signal import SEVERITIES, Severity


class News(NamedTuple):
    """The first and the last of an incident's signals that wait; the last says how it stands."""

    first: Signal
    last: Signal

    @property
    def is_over(self) -> bool:
        """Whether the incident has ended."""
        return self.last.state == "resolved"

    @property
    def is_critical(self) -> bool:
        """Whether it is critical now."""
        return not self.is_over and self.last.severity == "critical"


def collect(signals: Iterable[Signal]) -> list[News]:
    """One piece of news for each incident: what is open first, then by severity and dollars, then the oldest."""
    found: dict[str, News] = {}
    for signal in signals:
        earlier = found.get(signal.incident)
        found[signal.incident] = News(earlier.first if earlier else signal, signal)
    return sorted(found.values(), key=_rank)


def _rank(news: News) -> tuple[bool, int, Decimal, str, str]:
    last = news.last
    impact = abs(last.impact_usd_per_day or Decimal(0))
    return news.is_over, -SEVERITIES.index(last.severity), -impact, str(last.started_at), last.incident


def highest_severity(news: Iterable[News]) -> Severity | None:
    """The highest of what is not over; None where all is."""
    open_ones = [SEVERITIES.index(one.last.severity) for one in news if not one.is_over]
    return SEVERITIES[max(open_ones)] if open_ones else None
