"""The default book, compiled once a process; it is only read."""

import pytest

from tokenweir.pricing import PriceBook


@pytest.fixture(scope="session")
def book() -> PriceBook:
    return PriceBook.default()
