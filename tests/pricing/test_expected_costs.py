"""Known costs kept beside the repository: usage in exclusive parts, what it costs natively and in USD."""

from collections import Counter
from pathlib import Path

import pytest
from pricing_events import TEST_RATES

from benchmarks.known_costs import known_costs
from tokenweir.pricing import PriceBook

pytestmark = pytest.mark.shared_data


def test_every_known_cost_to_the_last_digit(shared_data: Path, book: PriceBook) -> None:
    at_test_rate = PriceBook(book.sources, TEST_RATES)
    tally: Counter[str] = Counter()
    failures = []
    for case in known_costs(shared_data):
        priced = at_test_rate.price(case.event)
        expected = (case.cost_picos, case.native_cost_picos)
        if priced.cost_picos is None:
            verdict = "unpriced"
        else:
            verdict = "right" if (priced.cost_picos, priced.native_cost_picos) == expected else "wrong"
        tally[verdict] += 1
        if verdict != "right":
            failures.append((verdict, case.case_id, case.cost_picos, priced))
    print(dict(tally))
    assert not failures
