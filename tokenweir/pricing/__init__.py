"""What usage costs: price rows with their sources and two times, exchange rates, and the exact sum."""

from tokenweir.pricing.book import PriceBook
from tokenweir.pricing.describe import priced_fields
from tokenweir.pricing.price import Price, Priced

__all__ = ["Price", "PriceBook", "Priced", "priced_fields"]
