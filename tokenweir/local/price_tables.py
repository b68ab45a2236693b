"""Filling the ledger's tables `prices` and `models` from this installation's price book and catalog."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from sinks.clickhouse.client import LedgerClient
from sinks.clickhouse.price_book import write_models, write_price_book
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook


class Filled(NamedTuple):
    """How many rows were new."""

    prices: int
    models: int


def fill_price_tables(
    client: LedgerClient, overlay: Path | None, recorded: Path, cache_dir: Path | None
) -> Filled:
    """Adds what the tables lack. Arguments as of `PriceBook.default`.

    The book is one of its own, as a book is not for several threads. Where genai-prices is not installed there is no
    book, and only the models are written. Raises StoreUnavailable, WrongCall for a company's file with a mistake.
    """
    prices = 0
    if find_spec("genai_prices") is not None:
        prices = write_price_book(client, PriceBook.default(overlay, recorded, cache_dir=cache_dir))
    return Filled(prices, write_models(client, Catalog.default().models()))
