from datetime import UTC, datetime

import pytest

from tokenweir.errors import WrongCall
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.pricing.exchange import ExchangeRates, read_exchange_rates, reference_rates
from tokenweir.pricing.price import BEGINNING, END

HEADER = "currency,valid_from,valid_to,usd_per_unit,recorded_at,source\n"


def test_the_rate_of_a_month_is_known_when_it_begins() -> None:
    for rate in reference_rates():
        assert rate.recorded_at <= rate.valid_from
        assert rate.source.startswith("ECB ")


def test_a_rate_holds_within_its_span_and_nowhere_else() -> None:
    rates = ExchangeRates(reference_rates())
    picos, starts_at, ends_at = rates.rate("CNY", datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    assert (picos, starts_at, ends_at) == (
        149_152_765_007,
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    assert rates.rate("CNY", datetime(2022, 12, 31, tzinfo=UTC))[0] is None
    assert rates.rate("CNY", datetime(2035, 1, 1, tzinfo=UTC))[0] is None
    assert rates.rate("XYZ", datetime(2026, 1, 1, tzinfo=UTC)) == (None, BEGINNING, END)
    assert rates.rate("USD", datetime(1999, 1, 1, tzinfo=UTC))[0] == PICOS_PER_UNIT


def test_a_rate_learned_later_was_not_known_before() -> None:
    text = (
        HEADER + "CNY,2025-01-01,2025-02-01,0.13,2025-01-01,a\nCNY,2025-01-01,2025-02-01,0.14,2025-03-01,b\n"
    )
    rates = ExchangeRates(read_exchange_rates(text, "r.csv"))
    moment = datetime(2025, 1, 15, tzinfo=UTC)
    assert rates.rate("CNY", moment)[0] == 140_000_000_000
    assert rates.rate("CNY", moment, datetime(2025, 2, 1, tzinfo=UTC))[0] == 130_000_000_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("CNY,2025-01-01,2025-02-01,0.13,2025-01-01", "line 2: 5 columns"),
        ("cny,2025-01-01,2025-02-01,0.13,2025-01-01,a", "line 2: 'cny' is not a currency"),
        ("CNY,01/01/2025,2025-02-01,0.13,2025-01-01,a", "line 2: '01/01/2025' is not a date"),
        ("CNY,2025-01-01,2025-01-01,0.13,2025-01-01,a", "line 2: ends before it begins"),
        ("CNY,2025-01-01,2025-02-01,-1,2025-01-01,a", "line 2: -1 is not a usable rate"),
        ("CNY,2025-01-01,2025-02-01,seven,2025-01-01,a", "line 2: 'seven' is not an amount"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(line: str, reason: str) -> None:
    with pytest.raises(WrongCall) as refused:
        read_exchange_rates(HEADER + line + "\n", "r.csv")
    assert reason in refused.value.message


def test_two_rates_at_once_are_refused() -> None:
    text = (
        HEADER + "CNY,2025-01-01,2025-02-01,0.13,2025-01-01,a\nCNY,2025-01-15,2025-02-01,0.14,2025-01-01,b\n"
    )
    with pytest.raises(WrongCall, match="two CNY rates hold on 2025-01-15"):
        read_exchange_rates(text, "r.csv")
