"""The tables `prices` and `models` hold what the book and the catalog do, once, and lose nothing."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from sinks.clickhouse import LedgerClient
from sinks.clickhouse.price_book import NO_START, write_models, write_price_book
from tokenweir.catalog import Catalog
from tokenweir.local.price_tables import fill_price_tables
from tokenweir.pricing import Price, PriceBook
from tokenweir.pricing.matching import match_from_names
from tokenweir.pricing.price import Rate, RateCard
from tokenweir.pricing.schedule import Schedule
from tokenweir.pricing.sources import RowSource

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
ROW = Price(
    "acme:house@2026-11-01",
    "acme",
    match_from_names(("house", "house-*")),
    (
        RateCard((("input", Rate(800_000_000_001, 1_000_000)), ("web_searches", Rate(10**13, 1000)))),
        RateCard((("input", Rate(10**12, 1_000_000)),), input_above=200_000),
    ),
    "CNY",
    NOVEMBER,
    "a page",
    date(2026, 10, 30),
    "medium",
    regions=("cn-*",),
    valid_from=NOVEMBER,
    schedule=Schedule(480, ((0, 3600),), except_days=frozenset({date(2026, 10, 1)})),
)


def book_of(*rows: Price) -> PriceBook:
    return PriceBook([RowSource(rows)])


def test_a_row_is_told_to_the_digit(ledger_client: LedgerClient) -> None:
    assert write_price_book(ledger_client, book_of(ROW)) == 1
    names, (found,) = ledger_client.query_with_names("SELECT * FROM prices")
    stored = dict(zip(names, found, strict=True))
    assert stored["rates"] == {"input": Decimal("0.800000000001"), "web_searches": Decimal(10)}
    assert stored["per"] == {"input": 1_000_000, "web_searches": 1000}
    assert json.loads(stored["terms"]) == [
        {
            "rates": {
                "input": {"price": "0.800000000001", "per": 1_000_000},
                "web_searches": {"price": "10", "per": 1000},
            }
        },
        {"input_above": 200_000, "rates": {"input": {"price": "1", "per": 1_000_000}}},
    ]
    assert json.loads(stored["hours"]) == {
        "utc_offset_minutes": 480,
        "windows": [[0, 3600]],
        "except_days": ["2026-10-01"],
    }
    plain = (
        "price_id",
        "vendor",
        "model",
        "names",
        "region",
        "currency",
        "valid_to",
        "source_at",
        "confidence",
    )
    assert [stored[name] for name in plain] == [
        "acme:house@2026-11-01",
        "acme",
        "(equals house or starts_with house-)",
        ["house"],
        "cn-*",
        "CNY",
        None,
        date(2026, 10, 30),
        "medium",
    ]
    assert stored["valid_from"].replace(tzinfo=UTC) == NOVEMBER


def test_what_differs_in_anything_is_a_further_row(ledger_client: LedgerClient) -> None:
    seen_again = replace(ROW, source="another page")
    for book, added in (
        (book_of(ROW), 1),
        (book_of(ROW), 0),
        (book_of(ROW, seen_again), 1),
        (book_of(ROW), 0),
    ):
        assert write_price_book(ledger_client, book) == added
    ledger_client.command("OPTIMIZE TABLE prices FINAL")
    assert ledger_client.query("SELECT source FROM prices ORDER BY written_at") == [
        ("a page",),
        ("another page",),
    ]


def test_what_the_rates_do_not_say_is_in_the_terms(ledger_client: LedgerClient) -> None:
    plain = replace(ROW, price_id="a", cards=ROW.cards[:1])
    minutes = Rate(10**12, 3600, minimum=10, block=60, steps=((7200, 5 * 10**11),))
    least = RateCard((("audio_seconds", minutes),), minimum_picos=10**10)
    write_price_book(ledger_client, book_of(plain, replace(ROW, price_id="b", cards=(least,))))
    rows = ledger_client.query("SELECT terms FROM prices ORDER BY price_id")
    assert rows[0] == ("",)
    assert json.loads(rows[1][0]) == [
        {
            "minimum_charge": "0.01",
            "rates": {
                "audio_seconds": {
                    "price": "1",
                    "per": 3600,
                    "minimum": 10,
                    "round_up_to": 60,
                    "steps": [{"above": 7200, "price": "0.5"}],
                }
            },
        }
    ]


def test_rows_without_rates_say_what_they_are(ledger_client: LedgerClient) -> None:
    half = replace(ROW, price_id="half", cards=(), currency="", factor=(1, 2), factor_of=frozenset({"input"}))
    none = replace(ROW, price_id="none", cards=(), currency="", no_price="retired", valid_from=None)
    write_price_book(ledger_client, book_of(half, none))
    rows = ledger_client.query(
        "SELECT price_id, factor, factor_of, no_price, valid_from FROM prices ORDER BY price_id"
    )
    assert rows[0][:4] == ("half", Decimal("0.5"), ["input"], "")
    assert (rows[1][:4], rows[1][4].replace(tzinfo=UTC)) == (("none", None, [], "retired"), NO_START)


def test_models_are_replaced_by_what_is_known_later(ledger_client: LedgerClient) -> None:
    (model,) = (found for found in Catalog.default().models("openai") if found.model == "gpt-4o")
    later = replace(model, recorded_at=datetime(2027, 1, 1, tzinfo=UTC), retires_on=date(2027, 5, 1))
    for each, added in ((model, 1), (model, 0), (later, 1), (later, 0)):
        assert write_models(ledger_client, [each]) == added
    rows = ledger_client.query("SELECT vendor, model, family, retires_at FROM models FINAL")
    assert [(*row[:3], row[3].date()) for row in rows] == [
        ("openai", "gpt-4o", model.family, date(2027, 5, 1))
    ]


def test_the_whole_book_and_catalog_go_in_once(ledger_client: LedgerClient, tmp_path: Path) -> None:
    overlay = tmp_path / "acme.toml"
    overlay.write_text(
        'recorded_at = 2026-11-01\n[[self_hosted]]\nvendor = "vllm"\nmodels = ["house-70b"]\ncurrency = "USD"\n'
        'per_gpu_hour = 2.49\ntokens_per_hour = { input = 21000000, output = 4000001 }\nsource = "invoice"\n',
        encoding="utf-8",
    )
    filled = fill_price_tables(ledger_client, overlay, tmp_path / "prices", None)
    book, catalog = PriceBook.default(overlay), Catalog.default()
    assert filled == (len(list(book.rows())), len(list(catalog.models())))
    assert fill_price_tables(ledger_client, overlay, tmp_path / "prices", None) == (0, 0)
    assert ledger_client.query("SELECT price_id FROM prices WHERE is_contract") == [
        (next(iter(book.contracts.prices.rows())).price_id,)
    ]
    joined = ledger_client.query("SELECT count() FROM prices WHERE price_id = 'genai:openai/gpt-4o'")
    assert joined == [(1,)]
