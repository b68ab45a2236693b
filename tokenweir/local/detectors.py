"""The detectors of this installation: with its price book, the catalog and its settings."""

from pathlib import Path

from streams.detection.tenant import MakeDetectors
from streams.detectors.detector import Surroundings
from streams.detectors.registry import detectors
from tokenweir.catalog import Catalog
from tokenweir.pricing import PriceBook
from tokenweir.settings import Settings


def detectors_of(settings: Settings, *, overlay: Path | None, recorded_prices: Path) -> MakeDetectors:
    """What makes one tenant's set. Reads the prices now; a book of its own, as one book serves one thread."""
    book = PriceBook.default(overlay, recorded_prices, cache_dir=settings.pricing.cache_dir)
    surroundings = Surroundings(book=book, catalog=Catalog.default(), settings=settings.detection)
    return lambda: detectors(surroundings)
