"""What the commands of `weir prices` share: their options, the book as the settings have it, and the models meant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import json_option
from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.pricing.listing import nearest_names, vendors_of
from tokenweir.pricing.price import END
from tokenweir.settings import Settings

_F = TypeVar("_F", bound=Callable[..., Any])


def book_options(command: _F) -> _F:
    """Adds --known-at, --prices and --json."""
    known_at = click.option(
        "--known-at",
        metavar="TIME",
        help="Use only what the price book knew then [default: all that it knows].",
    )
    prices_file = click.option(
        "--prices",
        "overlay",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A price file of your own, over the built-in book [default: the settings' pricing.overlay].",
    )
    return known_at(prices_file(json_option(command)))


def model_options(command: _F) -> _F:
    """Adds MODEL, --vendor, --tier and --region."""
    model = click.argument("model")
    vendor = click.option("--vendor", help="Only this vendor's [default: every vendor that has the model].")
    tier = click.option("--tier", help="Only this service tier: standard, batch, flex, priority…")
    region = click.option("--region", help="Only this region.")
    return model(vendor(tier(region(command))))


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of the book."""

    book: PriceBook
    time: datetime
    known_at: datetime
    found: Sequence[tuple[str, str]]


def ask(model: str, vendor: str | None, at: str | None, known_at: str | None, overlay: Path | None) -> Asking:
    """The vendors and names that are meant. Raises WrongCall, with the nearest names, where there are none."""
    now = datetime.now(UTC)
    time, known = parse_moment(at, now) or now, parse_moment(known_at, now) or END
    book = open_book(overlay)
    found = vendors_of(book, model, time, known, vendor)
    if not found:
        raise _unknown(book, model, vendor, known_at)
    return Asking(book, time, known, found)


def open_book(overlay: Path | None) -> PriceBook:
    """The price book as the settings have it. overlay: in place of the settings' own."""
    settings = Settings()
    pricing = settings.pricing
    return PriceBook.default(
        overlay or pricing.overlay, settings.recorded_prices, cache_dir=pricing.cache_dir
    )


def _unknown(book: PriceBook, model: str, vendor: str | None, known_at: str | None) -> WrongCall:
    near = [f"{name} ({each})" for each, name in nearest_names(book, model, vendor)]
    whose = f" of {vendor}" if vendor else ""
    when = f" as known at {known_at}" if known_at else ""
    hint = (
        "The nearest names are " + ", ".join(near) if near else "`weir models` lists what is known of models"
    )
    return WrongCall(f"the price book has no model {model}{whose}{when}", hint=hint)
