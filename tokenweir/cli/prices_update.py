"""`weir prices update`: a newer feed or file, shown and appended."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from tokenweir.cli.options import json_option
from tokenweir.cli.output import print_json
from tokenweir.cli.price_fields import (
    day_text,
    hours_text,
    moved_text,
    price_fields,
    print_used,
)
from tokenweir.errors import WrongCall
from tokenweir.local.price_updates import PriceUpdate, incoming_of
from tokenweir.money import decimal_string
from tokenweir.pricing.history import changes
from tokenweir.pricing.updating import Addition, Update
from tokenweir.settings import Settings

_MAX_NAMED: Final = 5
_COLUMNS: Final = ("vendor", "model", "tier", "region", "hours", "from", "to", "price per million tokens")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--from-installed",
    is_flag=True,
    help="Take the state of the installed genai-prices, after it was upgraded.",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of recorded updates [default: the settings' pricing.recorded, else prices in the data directory].",
)
@click.option(
    "--end-missing", is_flag=True, help="Give models that the feed no longer lists an end, from now on."
)
@click.option("--dry-run", is_flag=True, help="Show what would be added, and add nothing.")
@click.option("--yes", is_flag=True, help="Add without asking.")
@json_option
def update(
    file: Path | None,
    from_installed: bool,
    folder: Path | None,
    end_missing: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Take a newer state of prices: show what it changes, and append that to what is recorded.

    FILE is a price file (TOML, as docs/prices.md tells it) or the data.json of genai-prices. Nothing that is recorded
    is ever changed: each update is a file of its own, whose rows are known from now on. A price without a start holds
    from now on, too, where the book spoke of the model before.

    \b
    Examples:
      weir prices update data.json --dry-run
      weir prices update prices.toml --yes
    """
    if (file is None) != from_installed:
        raise WrongCall("an update takes one newer state", hint="Name a file, or give --from-installed")
    if as_json and not (dry_run or yes):
        raise WrongCall("--json asks nothing", hint="Give --dry-run or --yes beside it")
    now = datetime.now(UTC)
    place = folder or Settings().recorded_prices
    planned = PriceUpdate(incoming_of(file), place, now, end_vanished=end_missing)
    shown = planned.plan()
    path: Path | None = None
    if not as_json:
        _print(shown, end_missing)
    if not (dry_run or _is_empty(shown)):
        if not yes and not click.confirm(f"Append this to {place}?"):
            click.echo("Nothing was appended.")
            return
        taken = planned.take()
        shown, path = taken.update, taken.path
    if as_json:
        print_json(_fields(shown, place, path))
    elif path is not None:
        click.echo(f"Appended as {path}. What is running reads it when it is next started.")


def _is_empty(update: Update) -> bool:
    return not (update.additions or update.rates)


def _fields(update: Update, folder: Path, path: Path | None) -> dict[str, Any]:
    return {
        "appended": str(path) if path is not None else None,
        "folder": str(folder),
        "additions": [
            price_fields(addition.row)
            | {
                "model": addition.label,
                "before": addition.before.price_id if addition.before is not None else None,
                "change_percent": dict(changes(addition.before, addition.row)),
            }
            for addition in update.additions
        ],
        "carried": [price_fields(row) for row in update.carried],
        "vanished": [
            {"vendor": gone.row.vendor, "model": gone.sample, "price_id": gone.row.price_id}
            for gone in update.vanished
        ],
        "unread": [{"model": name, "reason": reason} for name, reason in update.unread.items()],
        "exchange_rates": [
            {
                "currency": rate.currency,
                "usd_per_unit": decimal_string(rate.picos),
                "valid_from": rate.valid_from,
                "valid_to": rate.valid_to,
                "source": rate.source,
            }
            for rate in update.rates
        ],
    }


def _print(update: Update, end_missing: bool) -> None:
    rows = [_row(addition) for addition in update.additions]
    print_used(
        rows, _COLUMNS, empty="No new prices." if update.rates else "The book says all of this already."
    )
    if update.carried:
        click.echo(
            f"{len(update.carried)} prices for regions stay as they are; they are said again beside these."
        )
    for rate in update.rates:
        until = day_text(rate.valid_to) or "further notice"
        click.echo(
            f"exchange rate: {rate.currency} from {day_text(rate.valid_from)} to {until}, {rate.source}"
        )
    for name, reason in list(update.unread.items())[:_MAX_NAMED]:
        click.echo(f"passed over: {name}: {reason}")
    if len(update.unread) > _MAX_NAMED:
        click.echo(f"passed over: {len(update.unread) - _MAX_NAMED} models more")
    if update.vanished and not end_missing:
        names = ", ".join(f"{gone.row.vendor} {gone.sample}" for gone in update.vanished[:_MAX_NAMED])
        more = f" and {len(update.vanished) - _MAX_NAMED} more" if len(update.vanished) > _MAX_NAMED else ""
        click.echo(f"No longer listed: {names}{more}. Their prices stay; --end-missing ends them now.")


def _row(addition: Addition) -> dict[str, Any]:
    row, before = addition.row, addition.before
    return {
        "vendor": row.vendor,
        "model": addition.label,
        "tier": row.service_tier,
        "region": ", ".join(name or "none" for name in row.regions),
        "hours": hours_text(row.schedule),
        "from": day_text(row.valid_from),
        "to": day_text(row.valid_to),
        "price per million tokens": moved_text(before, row) if row.factor is None else "a factor",
    }
