"""`weir prices check`: the mistakes in a company's price file, all at once, and what is worth a look."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from tokenweir.cli.options import json_option
from tokenweir.cli.output import print_json
from tokenweir.cli.price_book import open_book
from tokenweir.errors import TokenweirError
from tokenweir.pricing import PriceBook
from tokenweir.pricing.checking import Concern, concerns, ended_discounts
from tokenweir.pricing.exchange import ExchangeRates, reference_rates
from tokenweir.pricing.known_names import unknown_names
from tokenweir.pricing.overlay import read_with_mistakes
from tokenweir.pricing.recorded import read_recorded
from tokenweir.pricing.sources import PriceSource, RowSource
from tokenweir.pricing.toml_tables import FileMistake, text_of
from tokenweir.settings import Settings


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--older-than",
    type=click.IntRange(1, 10_000),
    default=180,
    show_default=True,
    metavar="DAYS",
    help="Warn of sources that were last seen so long ago.",
)
@json_option
def check(files: tuple[Path, ...], older_than: int, as_json: bool) -> int:
    """Look for mistakes in a company's price files, or without FILES in the whole book as the settings have it.

    A mistake is what the file would be refused for: its line, the reason and the fix; the exit status is then 1. What
    else is worth a look (a price far from others, a gap, a price that ended, a missing exchange rate, low confidence,
    an old source) is a warning.

    \b
    Examples:
      weir prices check acme.toml
      weir prices check --older-than 365 --json
    """
    now, oldest = datetime.now(UTC), timedelta(days=older_than)
    mistakes: list[TokenweirError] = []
    warnings: list[Concern] = []
    if files:
        settings = Settings()
        book = PriceBook.default(None, settings.recorded_prices, cache_dir=settings.pricing.cache_dir)
        recorded = read_recorded(settings.recorded_prices)
        for file in files:
            wrong, worth_a_look = _check_file(file, book, recorded.exchange_rates(), now, oldest)
            mistakes += wrong
            warnings += worth_a_look
    else:
        try:
            book = open_book(None)
            every = RowSource(book.rows())
            warnings = concerns(every, [every], book.rates, now, oldest)
        except TokenweirError as mistake:
            mistakes.append(mistake)
    _print(mistakes, warnings, as_json)
    return 1 if mistakes else 0


def _check_file(
    file: Path, book: PriceBook, recorded_rates: Sequence[Any], now: datetime, oldest: timedelta
) -> tuple[list[TokenweirError], list[Concern]]:
    try:
        overlay, found = read_with_mistakes(text_of(file), file.name)
    except TokenweirError as mistake:
        return [mistake], []
    public: Sequence[PriceSource] = book.sources
    unique = {str(mistake): mistake for mistake in (*found, *unknown_names(overlay, public))}
    mistakes = sorted(unique.values(), key=lambda each: each.line if isinstance(each, FileMistake) else 0)
    rates = ExchangeRates(reference_rates(), recorded_rates, overlay.exchange_rates)
    ended = ended_discounts(overlay.contracts.discounts, now)
    return [*mistakes], [*concerns(overlay, public, rates, now, oldest), *ended]


def _print(mistakes: Sequence[TokenweirError], warnings: Sequence[Concern], as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "mistakes": [
                    {
                        "file": mistake.file if isinstance(mistake, FileMistake) else None,
                        "line": mistake.line if isinstance(mistake, FileMistake) else None,
                        "reason": mistake.reason if isinstance(mistake, FileMistake) else mistake.message,
                        "fix": mistake.hint,
                    }
                    for mistake in mistakes
                ],
                "warnings": [
                    {"kind": concern.kind, "vendor": concern.vendor or None, "text": concern.text}
                    for concern in warnings
                ],
            }
        )
        return
    for mistake in mistakes:
        click.echo(f"{click.style('mistake', fg='red')}  {mistake}")
    for concern in warnings:
        whose = f"{concern.vendor} " if concern.vendor else ""
        click.echo(f"warning  {concern.kind}: {whose}{concern.text}")
    if not mistakes:
        click.echo("no mistakes" + (f", {len(warnings)} warnings" if warnings else ""))
