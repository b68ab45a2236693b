"""`weir allowances`: what is left of free tiers and prepaid packs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import click

from sinks.clickhouse.balances import read_balances
from tokenweir.cli.moments import parse_moment
from tokenweir.cli.options import find_place, ledger_options, open_ledger
from tokenweir.cli.output import print_rows
from tokenweir.errors import WrongCall
from tokenweir.money import PICOS_PER_UNIT, decimal_from_picos, divide_half_even
from tokenweir.pricing import PriceBook
from tokenweir.pricing.allowances import Allowance
from tokenweir.pricing.balances import Balance
from tokenweir.pricing.price import BEGINNING, END

_COLUMNS: Final = (
    "allowance",
    "account",
    "starts_at",
    "ends_at",
    "amount",
    "used",
    "left",
    "calls",
    "first_used_at",
    "last_used_at",
    "used_up_at",
)


@click.command()
@click.option("--at", help="What was left at this time [default: now].")
@click.option("--since", help="Further periods, back to the one that this time lies in.")
@click.option(
    "--prices",
    "overlay",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The price file that has the allowances [default: the settings' pricing.overlay].",
)
@ledger_options
def allowances(
    at: str | None, since: str | None, overlay: Path | None, as_json: bool, data_dir: Path | None
) -> None:
    """What is left of free tiers and prepaid packs: for each account and period, from the ledger's calls.

    An allowance of which nothing was used has one row without an account. `used_up_at` is the time of the call that
    took the last of it.

    \b
    Examples:
      weir allowances
      weir allowances --since 2026-10-01 --json
    """
    now = datetime.now(UTC)
    until = parse_moment(at, now) or now
    first = parse_moment(since, now)
    if first is not None and first > until:
        raise WrongCall("--since lies after --at", hint="Give an earlier --since")
    place = find_place(data_dir)
    overlay = overlay or place.settings.pricing.overlay
    book = PriceBook.default(overlay, place.recorded_prices, cache_dir=place.settings.pricing.cache_dir)
    if overlay is None or not book.contracts.allowances:
        raise WrongCall(
            "there are no allowances" + (f" in {overlay}" if overlay else ", as there is no price file"),
            hint="Name a file with [[allowance]] tables, by --prices or pricing.overlay (docs/allowances.md)",
        )
    with open_ledger(place) as client:
        used = read_balances(client, book, until=until, since=first)
    rows = [_row(balance) for balance in [*used, *_unused(book, used, until)]]
    rows.sort(key=lambda row: (row["allowance"], row["starts_at"] or BEGINNING, str(row["account"])))
    if not as_json:
        rows = [row | {"account": _in_words(row["account"])} for row in rows]
    print_rows(rows, _COLUMNS, "json" if as_json else "table", empty="no allowance holds at that time")


def _in_words(account: Mapping[str, str]) -> str | None:
    return " ".join(f"{field}={value}" for field, value in account.items()) or None


def _unused(book: PriceBook, used: list[Balance], moment: datetime) -> list[Balance]:
    """For each allowance that holds at `moment` and of which nothing was used then, a balance of nobody."""
    latest: dict[str, Allowance] = {}
    for allowance in book.contracts.allowances:
        if allowance.starts_at <= moment < allowance.ends_at:
            other = latest.get(allowance.allowance_id)
            if other is None or other.recorded_at <= allowance.recorded_at:
                latest[allowance.allowance_id] = allowance
    in_use = {
        balance.allowance.allowance_id for balance in used if balance.starts_at <= moment < balance.ends_at
    }
    return [
        Balance(allowance, (), *allowance.period_at(moment))
        for allowance_id, allowance in latest.items()
        if allowance_id not in in_use
    ]


def _row(balance: Balance) -> dict[str, Any]:
    left = _amount(balance.left)
    allowance = balance.allowance
    return {
        "allowance": allowance.allowance_id,
        "account": dict(zip(allowance.account_fields, balance.account, strict=False)),
        "starts_at": None if balance.starts_at == BEGINNING else balance.starts_at,
        "ends_at": None if balance.ends_at == END else balance.ends_at,
        "amount": allowance.amount,
        "used": _amount(balance.used),
        "left": left,
        "calls": balance.calls,
        "first_used_at": balance.first_used_at,
        "last_used_at": balance.last_used_at,
        "used_up_at": None if left else balance.used_up_at,
    }


def _amount(exact: Fraction) -> Decimal | int:
    """The amount, rounded half to even at the twelfth decimal: shares of a call may be thirds."""
    if exact.denominator == 1:
        return exact.numerator
    return decimal_from_picos(divide_half_even(exact.numerator * PICOS_PER_UNIT, exact.denominator))
