"""What the pricing benchmark asks: a large book that knows its models, other books that are asked for the same."""

from collections import Counter
from datetime import UTC, datetime

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
    found = {book.name: answers(book, events) for book in books}
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
