"""Known costs kept beside the repository: usage in exclusive parts, what it costs natively and in USD."""

import json
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pricing_events import TEST_RATES, event

from tokenweir.money import picos_from_decimal
from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent

pytestmark = pytest.mark.shared_data

# The data set's vendor: ours, and the region that it implies.
VENDORS = {"bytedance": ("volcengine", ""), "alibaba-cn": ("alibaba", "cn-beijing")}
INPUT_PARTS = ("uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
OUTPUT_PARTS = ("output_tokens", "output_image_tokens")


def as_event(case: dict[str, Any]) -> UsageEvent:
    usage: dict[str, int] = case["usage"]
    unknown = usage.keys() - {*INPUT_PARTS, *OUTPUT_PARTS}
    assert not unknown, f"{case['id']}: parts {unknown} are new here"
    vendor, region = VENDORS.get(case["vendor"], (case["vendor"], ""))
    return event(
        vendor,
        case["model"],
        datetime.fromisoformat(case["timestamp"]),
        region=region,
        service_tier=case["context"].get("processing", "standard"),
        input_tokens=sum(usage.get(part, 0) for part in INPUT_PARTS),
        cache_read_tokens=usage.get("cache_read_tokens", 0),
        cache_write_tokens=usage.get("cache_write_5m_tokens", 0) + usage.get("cache_write_1h_tokens", 0),
        cache_write_1h_tokens=usage.get("cache_write_1h_tokens", 0),
        output_tokens=sum(usage.get(part, 0) for part in OUTPUT_PARTS),
        output_image_tokens=usage.get("output_image_tokens", 0),
    )


def test_every_known_cost_to_the_last_digit(shared_data: Path, book: PriceBook) -> None:
    at_test_rate = PriceBook(book.sources, TEST_RATES)
    tally: Counter[str] = Counter()
    failures = []
    for line in (shared_data / "expected_costs.jsonl").read_text().splitlines():
        case = json.loads(line)
        priced = at_test_rate.price(as_event(case))
        expected = (
            picos_from_decimal(Decimal(case["expected_usd"])),
            picos_from_decimal(Decimal(case["expected_native"])),
        )
        if priced.cost_picos is None:
            verdict = "unpriced"
        else:
            verdict = "right" if (priced.cost_picos, priced.native_cost_picos) == expected else "wrong"
        tally[verdict] += 1
        if verdict != "right":
            failures.append((verdict, case["id"], case["expected_usd"], priced))
    print(dict(tally))
    assert not failures
