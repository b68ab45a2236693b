"""What the pricing benchmark asks: a large book that knows its models, other books that are asked for the same."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks import pricing
from benchmarks.known_costs import known_costs
from benchmarks.large_book import generated_models, large_book
from benchmarks.price_books import GENAI_PRICES, KNOWN_RATES, MODEL_PRICES, answers, known_picos, ours
from benchmarks.workload import MODELS
from tokenweir.pricing import PriceBook
from tokenweir.usage import UsageEvent

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROWS = 2_000


def test_every_model_of_the_large_book_has_its_price_in_each_period() -> None:
    source = large_book(ROWS)
    rows, models = list(source.rows()), generated_models(ROWS)
    assert len(rows) == len({row.price_id for row in rows}) == ROWS
    assert Counter(row.match.operation for row in rows).keys() == {
        "equals",
        "starts_with",
        "contains",
        "regex",
    }
    book = PriceBook([source])
    for number, model in enumerate(models):
        for period, year in enumerate((2023, 2024, 2025, 2026)):
            assert book.lookup(*model, AT.replace(year=year)) == rows[4 * number + period]


def test_known_costs_are_of_models_that_are_called() -> None:
    assert KNOWN_RATES.keys() < {(model.vendor, model.name) for model in MODELS}
    a_call = _call("openai", "gpt-4.1")
    assert known_picos(a_call) == (600 * 2 + 400 * 1 // 2 + 100 * 8) * 10**6
    assert known_picos(_call("vllm", "our-own-llama")) is None


def test_each_book_is_asked_for_all_events_and_held_against_what_is_known() -> None:
    events = [_call(model.vendor, model.name, model.region) for model in MODELS if model.output_tokens]
    books = (ours(PriceBook.default()), GENAI_PRICES, MODEL_PRICES)
    found = {book.name: answers(book, [(event, known_picos(event)) for event in events]) for book in books}
    assert {each.events for each in found.values()} == {len(events)}
    assert {each.known for each in found.values()} == {8}
    assert {name: (each.right, each.wrong) for name, each in found.items()} == {
        "tokenweir": (8, 0),
        "genai-prices": (8, 0),
        "model-prices": (7, 0),
    }
    assert found["tokenweir"].priced == len(events) - 1
    for book in books:
        assert [book.look_up(event) is None for event in events] == [
            (answer := book.price(event)) is None or book.picos(answer) is None for event in events
        ]


KNOWN_CASE = {
    "id": "cached",
    "vendor": "openai",
    "model": "gpt-4o",
    "timestamp": "2025-11-01T00:00:00Z",
    "usage": {"uncached_input_tokens": 600, "cache_read_tokens": 400, "output_tokens": 100},
    "context": {},
    "expected_usd": "0.003",
    "expected_native": "0.003",
}


def test_known_costs_are_put_to_every_book_where_they_are_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known_costs(tmp_path) == []
    (tmp_path / "expected_costs.jsonl").write_text(json.dumps(KNOWN_CASE) + "\n")
    (known,) = known_costs(tmp_path)
    assert (known.cost_picos, known.native_cost_picos) == (3_000_000_000, 3_000_000_000)
    assert (known.event.input_tokens, known.event.cache_read_tokens) == (1_000, 400)
    monkeypatch.setenv("TOKENWEIR_SHARED_DATA", str(tmp_path))
    found = pricing.of_known_costs(PriceBook.default())
    assert [(one.unit, one.bar) for one in found] == [("right of 1", 1)] * 2
    assert [(one.value, one.baseline) for one in found] == [(1, 1)] * 2
    assert all("1 of 1 events priced" in one.note for one in found)
    (tmp_path / "expected_costs.jsonl").write_text(json.dumps(KNOWN_CASE | {"usage": {"thoughts": 1}}))
    with pytest.raises(ValueError, match="thoughts"):
        known_costs(tmp_path)


def _call(vendor: str, model: str, region: str = "") -> UsageEvent:
    return UsageEvent(
        id="a:1",
        source="sdk",
        time=AT,
        vendor=vendor,
        model=model,
        region=region,
        input_tokens=1_000,
        cache_read_tokens=400,
        output_tokens=100,
    )
