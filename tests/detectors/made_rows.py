"""Single groups of a minute, said outright."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from streams.detectors.minute import GroupRow
from streams.groups import EPOCH, MINUTE
from streams.windows import GroupSums
from tokenweir.money import picos_from_decimal
from tokenweir.usage.event import GROUP_FIELDS, TOKEN_FIELDS


def a_row(
    usd: Decimal | str = "0",
    *,
    calls: int = 10,
    tokens: Mapping[str, int] | None = None,
    unpriced_calls: int = 0,
    **names: str,
) -> GroupRow:
    """A group of acme's team search, on gpt-5-mini where nothing else is said."""
    sums = GroupSums()
    sums.calls = calls
    sums.statuses = Counter(ok=calls)
    sums.cost_picos = picos_from_decimal(Decimal(usd))
    sums.unpriced_calls = unpriced_calls
    sums.tokens = [(tokens or {}).get(name, 0) for name in TOKEN_FIELDS]
    usual = {
        "tenant": "acme",
        "team": "search",
        "project": "shop",
        "service": "ranker",
        "environment": "production",
        "vendor": "openai",
        "model": "gpt-5-mini",
        "operation": "chat",
        "service_tier": "standard",
    }
    return GroupRow({name: names.get(name, usual.get(name, "")) for name in GROUP_FIELDS}, sums)


def minute_of(time: str) -> int:
    """The number of a minute told in ISO 8601, with its offset."""
    return (datetime.fromisoformat(time) - EPOCH) // MINUTE
