"""Why a workload may have gone from one model to another: what happened to either about then. Pure.

Likely, not proven: what stands in the price book and the catalog with a date near the move's beginning, and what the
calls themselves showed. The likeliest comes first: a model that failed, a price that changed, a model that is to go,
a model that is new.

Limits: prices are compared in the standard tier, where no region is asked for.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

from streams.detectors.traffic import vendor_and_model
from tokenweir.catalog import Catalog, Model
from tokenweir.pricing import PriceBook
from tokenweir.pricing.history import changes
from tokenweir.pricing.price import END

Kind = Literal["failing", "price_cut", "price_rise", "retirement", "release"]

_PRICE_DAYS: Final = 21
_NOTICE_DAYS: Final = 180
_RELEASE_DAYS: Final = 60
_LEAST_PERCENT: Final = 5
_INSTANT: Final = timedelta(microseconds=1)


class MoveCause(NamedTuple):
    """One thing that may be why. about: `vendor/model` that it happened to. on: the day, None where there is none."""

    kind: Kind
    about: str
    on: date | None
    text: str


def likely_causes(
    book: PriceBook, catalog: Catalog, source: str, target: str, onset: datetime, failed_hours: int
) -> list[MoveCause]:
    """The likeliest first. failed_hours: in how many of the day before, much of what the source was asked failed."""
    causes: list[MoveCause] = []
    if failed_hours:
        causes.append(
            MoveCause(
                "failing",
                source,
                onset.date(),
                f"calls to {source} failed in {failed_hours} of the 24 hours before",
            )
        )
    causes += _price_changes(book, target, onset, -1)
    leaving = _model(catalog, source, onset.date())
    coming = _model(catalog, target, onset.date())
    if leaving is not None:
        causes += _retirement(catalog, source, leaving, coming, onset.date())
    causes += _price_changes(book, source, onset, 1)
    if coming is not None and coming.released_on is not None:
        days = (onset.date() - coming.released_on).days
        if 0 <= days <= _RELEASE_DAYS:
            causes.append(
                MoveCause(
                    "release", target, coming.released_on, f"{target} was released on {coming.released_on}"
                )
            )
    return causes


def same_model(catalog: Catalog, key: str, on: date) -> str:
    """What stands for `vendor/model` and every other name of that model on that day: aliases, dated names."""
    model = _model(catalog, key, on)
    return key if model is None else f"{model.vendor}/{model.model}"


def _model(catalog: Catalog, key: str, on: date) -> Model | None:
    vendor, name = vendor_and_model(key)
    return catalog.model(vendor, name, on=on)


def _price_changes(book: PriceBook, key: str, onset: datetime, sign: Literal[-1, 1]) -> Iterator[MoveCause]:
    """The last change of the model's price in the weeks before the move, where it is a fall (-1) or a rise (1)."""
    vendor, model = vendor_and_model(key)
    since, until = onset - timedelta(days=_PRICE_DAYS), onset + timedelta(days=1)
    rows = book.finder.candidates(vendor, model, onset, END)
    edges = {edge for row in rows for edge in (row.starts_at, row.ends_at) if since <= edge <= until}
    for edge in sorted(edges, reverse=True):
        before = book.lookup(vendor, model, edge - _INSTANT)
        percents = changes(before, book.lookup(vendor, model, edge))
        if not percents:
            continue
        moved = {rate: by for rate, by in percents.items() if by * sign >= _LEAST_PERCENT}
        if len(moved) * 2 > len(percents):
            rates = ", ".join(f"{rate} {by:+.0f} %" for rate, by in sorted(moved.items()))
            kind: Kind = "price_cut" if sign < 0 else "price_rise"
            yield MoveCause(kind, key, edge.date(), f"the price of {key} changed on {edge:%Y-%m-%d}: {rates}")
        return


def _retirement(
    catalog: Catalog, key: str, leaving: Model, coming: Model | None, on: date
) -> Iterator[MoveCause]:
    is_near = leaving.retires_on is not None and leaving.retires_on <= on + timedelta(days=_NOTICE_DAYS)
    is_told = leaving.state_on(on) in ("deprecated", "retired")
    if not is_near and not is_told:
        return
    if leaving.retires_on is not None:
        text = f"{key} {'retires' if leaving.retires_on > on else 'retired'} on {leaving.retires_on}"
        day = leaving.retires_on
    else:
        text = f"{key} is {leaving.state_on(on)}"
        day = leaving.deprecated_on or on
    named = [each.model for each in catalog.successors(leaving.vendor, leaving.model, on=on) if each.model]
    if coming is not None and any(each.model == coming.model for each in named):
        text += "; its vendor names this successor"
    yield MoveCause("retirement", key, day, text)
