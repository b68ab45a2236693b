"""`weir unpriced`: what has no price, how much traffic that holds back, and what to do about it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click

from sinks.clickhouse import queries
from tokenweir.catalog import Catalog
from tokenweir.cli.options import Place, find_place, ledger_options, open_ledger
from tokenweir.cli.output import print_json, print_rows
from tokenweir.pricing import PriceBook
from tokenweir.pricing.advice import Adviser
from tokenweir.usage import UsageEvent

_COLUMNS: Final = (
    "#",
    "vendor",
    "model",
    "kind",
    "calls",
    "of all calls",
    "tokens",
    "of all tokens",
    "teams",
    "services",
    "first_time",
    "last_time",
)
_SHARE_DECIMALS: Final = Decimal("0.000001")


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@ledger_options
def unpriced(limit: int, as_json: bool, data_dir: Path | None) -> None:
    """What has no price: why, how much traffic it holds back, and what to do.

    Most calls first. An unknown model, an unknown unit, a time before the first known price and a missing exchange rate
    are told apart (`kind`). Shares are of all calls, and of all input and output tokens, in the ledger.

    \b
    Examples:
      weir unpriced
      weir unpriced --limit 200 --json
    """
    place = find_place(data_dir)
    with open_ledger(place) as client:
        found = queries.unpriced(client)
        total = queries.spend(client)[0] if found else {}
    rows = _advised(found[:limit], total, place)
    if as_json:
        print_json(rows)
        return
    shown = [_shown(number, row) for number, row in enumerate(rows, start=1)]
    print_rows(shown, _COLUMNS, "table", empty="everything has a price")
    for number, row in enumerate(rows, start=1):
        click.echo(f"\n{number}. {row['unpriced_reason']}")
        click.echo(f"   {row['next_step']}.")
        for line in row["alias"].splitlines():
            click.echo(f"       {line}")
    if len(found) > limit:
        rest = sum(row["calls"] for row in found[limit:])
        click.echo(f"\n{len(found) - limit} more, {rest:,} calls: --limit {len(found)} shows them.")


def _names_of_the_catalog() -> Callable[[str, str], Iterable[tuple[str, str]]]:
    catalog = Catalog.default()

    def names(vendor: str, model: str) -> Iterable[tuple[str, str]]:
        """The other names of the model that the catalog takes it for, then names that are near."""
        if vendor not in catalog.vendors:
            return
        found = catalog.find(vendor, model)
        if found is not None:
            yield from ((vendor, name) for name in (found.model.model, *found.model.aliases) if name != model)
        yield from (pair for pair in catalog.nearest(model, vendor) if pair != (vendor, model))

    return names


def _advised(
    found: Sequence[Mapping[str, Any]], total: Mapping[str, Any], place: Place
) -> list[dict[str, Any]]:
    if not found:
        return []
    pricing = place.settings.pricing
    book = PriceBook.default(pricing.overlay, place.recorded_prices, cache_dir=pricing.cache_dir)
    adviser = Adviser(book, _names_of_the_catalog())
    return [_row(row, total, adviser) for row in found]


def _row(found: Mapping[str, Any], total: Mapping[str, Any], adviser: Adviser) -> dict[str, Any]:
    row = {name: value for name, value in found.items() if name != "last_call"}
    all_tokens = total["input_tokens"] + total["output_tokens"]
    tokens = row["input_tokens"] + row["output_tokens"]
    row |= {"calls_share": _share(row["calls"], total["calls"]), "tokens_share": _share(tokens, all_tokens)}
    advice = adviser.advise(UsageEvent.model_validate(found["last_call"]), row["unpriced_reason"])
    return row | {
        "kind": advice.kind,
        "priced_now": advice.priced_now,
        "nearest": [{"vendor": vendor, "model": model} for vendor, model in advice.nearest],
        "nearest_units": list(advice.nearest_units),
        "next_step": advice.next_step,
        "alias": advice.alias,
    }


def _share(part: int, whole: int) -> Decimal:
    return (Decimal(part) / whole).quantize(_SHARE_DECIMALS) if whole else Decimal(0)


def _shown(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the table: what is a text here is wider than a number would be."""
    return {
        **row,
        "#": number,
        "tokens": row["input_tokens"] + row["output_tokens"],
        "of all calls": f"{row['calls_share']:.2%}",
        "of all tokens": f"{row['tokens_share']:.2%}",
        "first_time": f"{row['first_time']:%Y-%m-%d %H:%M}",
        "last_time": f"{row['last_time']:%Y-%m-%d %H:%M}",
    }
