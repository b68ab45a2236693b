"""A generated price book of many rows, to see whether a lookup grows with the book.

Of five models three are named, one is meant by a beginning, and of ten one each by a part and by a regular expression.
Each has a price in four periods.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import Price, Rate, RateCard
from tokenweir.pricing.sources import RowSource

ROWS: Final = 100_000
_VENDORS: Final = 20
_PERIODS: Final = (None, *(datetime(year, 1, 1, tzinfo=UTC) for year in (2024, 2025, 2026)), None)
_RECORDED_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
_SOURCE: Final = "generated"


class GeneratedModel(NamedTuple):
    """A model by its vendor and a name that it is called by."""

    vendor: str
    name: str


def generated_models(rows: int = ROWS) -> list[GeneratedModel]:
    """The models of a book of so many rows, each under a name that its rule means."""
    models = rows // (len(_PERIODS) - 1)
    return [GeneratedModel(f"vendor-{number % _VENDORS:02d}", _name(number)) for number in range(models)]


def large_book(rows: int = ROWS) -> RowSource:
    """A source of so many rows."""
    return RowSource(_rows(rows))


def _rows(rows: int) -> Iterator[Price]:
    for number, model in enumerate(generated_models(rows)):
        match = _match(number)
        for period in range(len(_PERIODS) - 1):
            picos = 1_000_000 * (1 + number % 977 + period)
            rates = (("input", Rate(picos, 1_000_000)), ("output", Rate(4 * picos, 1_000_000)))
            yield Price(
                f"generated:{model.vendor}/{model.name}@{period}",
                model.vendor,
                match,
                (RateCard(rates),),
                "USD",
                _RECORDED_AT,
                _SOURCE,
                valid_from=_PERIODS[period],
                valid_to=_PERIODS[period + 1],
            )


def _stem(number: int) -> str:
    return f"model-{number:06d}-large"


def _name(number: int) -> str:
    return _stem(number) if number % 5 < 3 else f"{_stem(number)}-20251101"


def _match(number: int) -> Match:
    stem, kind = _stem(number), number % 10
    if kind % 5 < 3:
        return Match("equals", stem)
    if kind % 5 == 3:
        return Match("starts_with", stem)
    if kind == 4:
        return Match("contains", stem)
    return Match("regex", rf"^{re.escape(stem)}(-\d{{8}})?$")
