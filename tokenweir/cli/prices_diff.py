"""`weir prices diff`: what differs between two files, two times, or a file and the book."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import json_option
from tokenweir.cli.output import print_json
from tokenweir.cli.price_book import open_book
from tokenweir.cli.price_fields import (
    day_text,
    hours_text,
    moved_text,
    price_fields,
    print_used,
)
from tokenweir.errors import WrongCall
from tokenweir.pricing import PriceBook
from tokenweir.pricing.difference import Difference, State, differences
from tokenweir.pricing.history import changes
from tokenweir.pricing.incoming import read_state
from tokenweir.pricing.price import END
from tokenweir.pricing.toml_tables import text_of

_COLUMNS: Final = (
    "what",
    "vendor",
    "models",
    "tier",
    "region",
    "hours",
    "from",
    "to",
    "price per million tokens",
)
_MAX_NAMES: Final = 3


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--at", nargs=2, metavar="TIME TIME", help="The prices that hold at two times.")
@click.option("--known-at", nargs=2, metavar="TIME TIME", help="What was known at two times, of all times.")
@click.option("--vendor", help="Only this vendor's.")
@click.option("--model", help="Only this model's.")
@click.option(
    "--prices",
    "overlay",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A price file of your own, over the built-in book [default: the settings' pricing.overlay].",
)
@json_option
def diff(
    files: tuple[Path, ...],
    at: tuple[str, str] | None,
    known_at: tuple[str, str] | None,
    vendor: str | None,
    model: str | None,
    overlay: Path | None,
    as_json: bool,
) -> None:
    """What was added, what changed and by how much, and what ended.

    Between two FILES (price files, or data.json of genai-prices); between one FILE and the book, for what holds now;
    between two times; or between two states of knowledge. Contracts other than prices are left out.

    \b
    Examples:
      weir prices diff --at 2026-01-01 2026-11-01 --vendor mistral
      weir prices diff --known-at 2026-11-10 2026-11-26 --vendor deepseek
      weir prices diff old.json new.json
    """
    if (len(files) in (1, 2)) + (at is not None) + (known_at is not None) != 1 or len(files) > 2:
        raise WrongCall(
            "diff compares two things", hint="Name one or two files, or give --at or --known-at two times"
        )
    now = datetime.now(UTC)
    if at is not None:
        sources = _all_of(open_book(overlay))
        old, new = (State(sources, END, parse_moment(each, now)) for each in at)
    elif known_at is not None:
        sources = _all_of(open_book(overlay))
        old, new = (State(sources, parse_moment(each, now) or END) for each in known_at)
    elif len(files) == 2:
        old, new = (State([read_state(text_of(file), file.name)]) for file in files)
    else:
        old = State(_all_of(open_book(overlay)), END, now)
        new = State([read_state(text_of(files[0]), files[0].name)], END, now)
    found = differences(old, new, vendor, model)
    if as_json:
        print_json([_fields(each) for each in found])
        return
    rows = [_row(each) for each in found]
    print_used(rows, _COLUMNS, empty="Nothing differs.")


def _all_of(book: PriceBook) -> list[Any]:
    return [*book.sources, book.contracts.prices]


def _fields(each: Difference) -> dict[str, Any]:
    return {
        "what": each.kind,
        "vendor": each.vendor,
        "models": list(each.models),
        "service_tier": each.service_tier,
        "regions": list(each.regions),
        "starts_at": each.starts_at if day_text(each.starts_at) is not None else None,
        "ends_at": each.ends_at if day_text(each.ends_at) is not None else None,
        "change_percent": dict(changes(each.before, each.after)),
        "before": price_fields(each.before) if each.before is not None else None,
        "after": price_fields(each.after) if each.after is not None else None,
    }


def _row(each: Difference) -> dict[str, Any]:
    price = each.after or each.before
    more = f" and {len(each.models) - _MAX_NAMES} more" if len(each.models) > _MAX_NAMES else ""
    return {
        "what": each.kind,
        "vendor": each.vendor,
        "models": ", ".join(each.models[:_MAX_NAMES]) + more,
        "tier": each.service_tier,
        "region": ", ".join(name or "none" for name in each.regions),
        "hours": hours_text(price.schedule) if price is not None else "",
        "from": day_text(each.starts_at),
        "to": day_text(each.ends_at),
        "price per million tokens": moved_text(each.before, each.after),
    }
