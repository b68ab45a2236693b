"""Events and rows for the pricing tests."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tokenweir.money import picos_from_decimal
from tokenweir.pricing.exchange import ExchangeRate, ExchangeRates
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import BEGINNING, END, Price, Rate, RateCard
from tokenweir.usage import UsageEvent

NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
TEST_RATES = ExchangeRates(
    [ExchangeRate("CNY", BEGINNING, END, picos_from_decimal(Decimal("0.14")), BEGINNING, "test")]
)


def event(vendor: str, model: str, time: datetime = NOVEMBER, **fields: Any) -> UsageEvent:
    return UsageEvent(id="t:1", source="test", time=time, vendor=vendor, model=model, **fields)


def per_million(**rates: str) -> tuple[tuple[str, Rate], ...]:
    return tuple((name, Rate(picos_from_decimal(Decimal(price)), 1_000_000)) for name, price in rates.items())


def row(model: str = "m", *, card: RateCard | None = None, **fields: Any) -> Price:
    defaults: dict[str, Any] = {
        "price_id": f"test:{model}",
        "vendor": "v",
        "match": Match("equals", model),
        "cards": (card or RateCard(per_million(input="1", output="2")),),
        "currency": "USD",
        "recorded_at": datetime(2025, 1, 1, tzinfo=UTC),
        "source": "test",
    }
    return Price(**(defaults | fields))
