"""Known costs kept beside the repository: usage in exclusive parts, what it costs natively and in USD."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from pricing_events import TEST_RATES

from benchmarks.known_costs import known_costs
from tokenweir.cli.convert import price
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


def test_every_known_cost_through_the_command(shared_data: Path, tmp_path: Path) -> None:
    rates = tmp_path / "rates.toml"
    rates.write_text(
        'name = "test"\nrecorded_at = 2020-01-01\n[[exchange_rate]]\ncurrency = "CNY"\nusd_per_unit = 0.14\n'
        'valid_from = 2020-01-01\nsource = "the rate of the test data"\n',
        encoding="utf-8",
    )
    cases = known_costs(shared_data)
    lines = "".join(case.event.model_dump_json(exclude_defaults=True) + "\n" for case in cases)
    done = CliRunner().invoke(price, ["--prices", str(rates)], input=lines)
    assert done.exit_code == 0, done.output
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    told = [tuple(Decimal(answer[name]) * 10**12 for name in ("cost", "native_cost")) for answer in answers]
    assert told == [(case.cost_picos, case.native_cost_picos) for case in cases]
