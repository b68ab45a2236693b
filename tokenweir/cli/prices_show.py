"""`weir prices show` and `history`: what a model costs at a time, and what it did cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from tokenweir.cli.output import print_json
from tokenweir.cli.price_book import ask, book_options, model_options
from tokenweir.cli.price_fields import (
    above_text,
    day_text,
    hours_text,
    percent_text,
    price_fields,
    print_used,
    rate_cells,
    rate_columns,
    variant_fields,
)
from tokenweir.pricing.history import Held, Recorded, recorded_rows, timeline
from tokenweir.pricing.listing import Variant, variants
from tokenweir.pricing.price import Price

_TIMELINE: Final = ("tier", "region", "hours", "from", "to")
_ROWS: Final = ("known since", "from", "to", "tier", "region", "hours")


@click.command()
@model_options
@click.option("--at", metavar="TIME", help="What it costs at this time [default: now].")
@book_options
def show(
    model: str,
    vendor: str | None,
    tier: str | None,
    region: str | None,
    at: str | None,
    known_at: str | None,
    overlay: Path | None,
    as_json: bool,
) -> None:
    """What a model costs at a time: every tier, region and hour, and where each price comes from.

    MODEL is a name as calls state it, or VENDOR/MODEL. Prices of tokens are per million; those in another currency
    have USD at the rate of the day in brackets.

    \b
    Examples:
      weir prices show claude-sonnet-4-5
      weir prices show deepseek-chat --vendor deepseek --at 2025-03-01
    """
    asking = ask(model, vendor, at, known_at, overlay)
    found = [
        variant
        for each_vendor, name in asking.found
        for variant in variants(
            asking.book, each_vendor, name, asking.time, asking.known_at, service_tier=tier, region=region
        )
    ]
    if as_json:
        print_json([variant_fields(variant) for variant in found])
        return
    rows = [row for variant in found for row in _variant_rows(variant)]
    rates = rate_columns(variant.found.price for variant in found if variant.found.price is not None)
    names = [
        "vendor",
        "tier",
        "region",
        "hours",
        "calls with",
        "currency",
        *rates,
        "status",
        "since",
        "until",
    ]
    print_used(rows, names, empty="No prices.")
    click.echo()
    for line in dict.fromkeys(_told(variant) for variant in found):
        click.echo(line)


@click.command()
@model_options
@book_options
def history(
    model: str,
    vendor: str | None,
    tier: str | None,
    region: str | None,
    known_at: str | None,
    overlay: Path | None,
    as_json: bool,
) -> None:
    """What a model cost over time: which price held when, and every row that the book has of it.

    A correction is a row that became known later and holds for the same time; the row that it corrects stays.

    \b
    Examples:
      weir prices history gpt-4o --vendor openai
      weir prices history deepseek/deepseek-chat --tier standard --json
    """
    asking = ask(model, vendor, None, known_at, overlay)
    answers = []
    for each_vendor, name in asking.found:
        candidates = [
            row
            for row in asking.book.finder.candidates(each_vendor, name, asking.time, asking.known_at)
            if (tier is None or row.service_tier in (tier, "standard") or row.no_price)
            and (region is None or row.is_for_region(region))
        ]
        held = [each for each in timeline(candidates) if tier is None or each.service_tier == tier]
        rows = [each for each in recorded_rows(candidates) if tier is None or each.row.service_tier == tier]
        answers.append((each_vendor, name, held, rows))
    if as_json:
        print_json(
            [
                {
                    "vendor": each_vendor,
                    "model": name,
                    "timeline": [_held_fields(each) for each in held],
                    "rows": [_recorded_fields(each) for each in rows],
                }
                for each_vendor, name, held, rows in answers
            ]
        )
        return
    for number, (each_vendor, name, held, rows) in enumerate(answers):
        if number:
            click.echo()
        _print_history(each_vendor, name, held, rows)


def _variant_rows(variant: Variant) -> list[dict[str, Any]]:
    price = variant.found.price
    first: dict[str, Any] = {
        "vendor": variant.vendor,
        "tier": variant.service_tier,
        "region": variant.region,
        "status": variant.status,
    }
    if price is None:
        return [first]
    first |= {
        "region": ", ".join(name or "none" for name in price.regions) or variant.region,
        "hours": hours_text(price.schedule) + ("" if variant.holds else f" (next {variant.at:%a %H:%M})"),
        "currency": price.currency,
        "since": day_text(price.valid_from),
        "until": day_text(price.valid_to),
    }
    rows = []
    for number, card in enumerate(price.cards):
        cells = {"calls with": above_text(card), **rate_cells(card, variant.fx_rate_picos)}
        rows.append(first | cells if not number else cells)
    if variant.found.listed is not None:
        listed = variant.found.listed
        rows.append({"status": "list", "currency": listed.currency, **rate_cells(listed.cards[0])})
    return rows


def _told(variant: Variant) -> str:
    """Where a price comes from, in one line."""
    price = variant.found.price
    if price is None:
        return f"{variant.vendor} {variant.service_tier}: {variant.found.reason}"
    seen = f", seen on {price.source_at}" if price.source_at else ""
    sure = f"; confidence {price.confidence}" if price.confidence else ""
    told = f"{price.price_id}: {price.source}{seen}; known since {price.recorded_at:%Y-%m-%d}{sure}"
    if variant.fx_rate_picos is None:
        told += f"; no exchange rate from {price.currency} to USD on that day"
    return told


def _held_fields(held: Held) -> dict[str, Any]:
    price = held.price
    return {
        "service_tier": held.service_tier,
        "regions": list(held.regions),
        "starts_at": None if day_text(held.starts_at) is None else held.starts_at,
        "ends_at": None if day_text(held.ends_at) is None else held.ends_at,
        "change_percent": dict(held.change_percent),
        "price": price_fields(price) if price is not None else None,
    }


def _recorded_fields(recorded: Recorded) -> dict[str, Any]:
    return price_fields(recorded.row) | {"corrects": [row.price_id for row in recorded.corrects]}


def _print_history(vendor: str, model: str, held: Sequence[Held], rows: Sequence[Recorded]) -> None:
    prices_shown: list[Price] = [each.price for each in held if each.price is not None]
    rates = rate_columns([*prices_shown, *(each.row for each in rows)])
    click.echo(f"{vendor} {model}: which price held when (tokens per million)")
    table = []
    for each in held:
        row: dict[str, Any] = {
            "tier": each.service_tier,
            "region": ", ".join(name or "none" for name in each.regions),
            "from": day_text(each.starts_at),
            "to": day_text(each.ends_at),
            "change": percent_text(each.change_percent),
        }
        if each.price is None or not each.price.cards:
            table.append(
                row | {"no price": each.price.no_price if each.price is not None else "none is known"}
            )
            continue
        row |= {"hours": hours_text(each.price.schedule), "currency": each.price.currency}
        table += [row | cells for cells in _card_rows(each.price)]
    print_used(
        table, [*_TIMELINE, "calls with", "currency", *rates, "change", "no price"], empty="No prices."
    )
    click.echo(f"\nEvery row, {len(rows)} in all:")
    listed = [
        {
            "known since": day_text(each.row.recorded_at),
            "from": day_text(each.row.valid_from),
            "to": day_text(each.row.valid_to),
            "tier": each.row.service_tier,
            "region": ", ".join(name or "none" for name in each.row.regions),
            "hours": hours_text(each.row.schedule),
            "confidence": each.row.confidence,
            "price_id": each.row.price_id,
            "corrects": ", ".join(row.price_id for row in each.corrects),
        }
        for each in rows
    ]
    print_used(listed, [*_ROWS, "confidence", "price_id", "corrects"], empty="No rows.")


def _card_rows(price: Price) -> list[dict[str, str]]:
    return [{"calls with": above_text(card), **rate_cells(card)} for card in price.cards]
