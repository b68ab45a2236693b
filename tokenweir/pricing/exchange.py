"""Dated exchange rates: what one unit of a currency is in USD.

Like prices, rates are only ever added: a row holds from `valid_from` up to but not `valid_to` and is known since
`recorded_at`. There is no rate before the first or after the last: a cost in that currency then has no USD amount
until the rate arrives. No rate is interpolated or carried on.

The file is CSV with the columns of `COLUMNS`; rates are decimals with up to twelve places.
"""

import csv
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Final, NamedTuple

from tokenweir.errors import WrongCall
from tokenweir.money import PICOS_PER_UNIT, picos_from_decimal
from tokenweir.pricing.price import BEGINNING, END

COLUMNS: Final = ("currency", "valid_from", "valid_to", "usd_per_unit", "recorded_at", "source")


class ExchangeRate(NamedTuple):
    """`picos` of USD for one unit of `currency`, from `valid_from` up to but not `valid_to`."""

    currency: str
    valid_from: datetime
    valid_to: datetime
    picos: int
    recorded_at: datetime
    source: str

    @property
    def starts_at(self) -> datetime:
        """The same as `valid_from`, as rows of prices have it too."""
        return self.valid_from

    @property
    def ends_at(self) -> datetime:
        """The same as `valid_to`."""
        return self.valid_to


class ExchangeRates:
    """Rates by currency. Rows that come later in `layers` win over earlier ones, and within a layer the later known.

    layers: reference rates first, then a company's own.
    """

    def __init__(self, *layers: Iterable[ExchangeRate]) -> None:
        self._rows: dict[str, list[tuple[int, ExchangeRate]]] = {}
        for number, layer in enumerate(layers):
            for rate in layer:
                self._rows.setdefault(rate.currency, []).append((number, rate))
        for rows in self._rows.values():
            rows.sort(key=lambda row: (row[0], row[1].recorded_at), reverse=True)

    def recorded_times(self) -> set[datetime]:
        """When any of the rates became known."""
        return {rate.recorded_at for rows in self._rows.values() for _, rate in rows}

    def rate(
        self, currency: str, moment: datetime, known_at: datetime = END
    ) -> tuple[int | None, datetime, datetime]:
        """Picos of USD for one unit at `moment`, as known at `known_at`, and the span within which that stays so.

        The rate is None where none is known.
        """
        if currency == "USD":
            return PICOS_PER_UNIT, BEGINNING, END
        start, end = BEGINNING, END
        for _, rate in self._rows.get(currency, ()):
            if rate.recorded_at > known_at:
                continue
            if moment < rate.valid_from:
                end = min(end, rate.valid_from)
            elif moment >= rate.valid_to:
                start = max(start, rate.valid_to)
            else:
                return rate.picos, max(start, rate.valid_from), min(end, rate.valid_to)
        return None, start, end


def reference_rates() -> list[ExchangeRate]:
    """The rates that come with Tokenweir (`data/exchange_rates.csv` says from where)."""
    text = files("tokenweir.pricing").joinpath("data", "exchange_rates.csv").read_text(encoding="utf-8")
    return read_exchange_rates(text, "exchange_rates.csv")


def read_exchange_rates(text: str, name: str) -> list[ExchangeRate]:
    """Rates from CSV. Lines that begin with # are comments.

    Raises WrongCall, naming `name`, the line, what is wrong and what to do.
    """
    rates: list[ExchangeRate] = []
    numbered = [
        (number, line) for number, line in enumerate(text.splitlines(), 1) if line[:1] not in ("#", "")
    ]
    for (number, _), row in zip(numbered, csv.reader(line for _, line in numbered), strict=True):
        if not rates and tuple(row) == COLUMNS:
            continue
        where = f"{name}, line {number}"
        if len(row) != len(COLUMNS):
            raise WrongCall(
                f"{where}: {len(row)} columns, not {len(COLUMNS)}",
                hint="The columns are " + ", ".join(COLUMNS),
            )
        currency, valid_from, valid_to, amount, recorded_at, source = row
        rates.append(
            ExchangeRate(
                currency_code(currency, where),
                _moment(valid_from, where),
                _moment(valid_to, where),
                rate_picos(amount, where),
                _moment(recorded_at, where),
                source,
            )
        )
        if rates[-1].valid_to <= rates[-1].valid_from:
            raise WrongCall(
                f"{where}: ends before it begins", hint="valid_to is the first day it no longer holds"
            )
    refuse_overlaps(rates, name)
    return rates


def refuse_overlaps(rates: Iterable[ExchangeRate], name: str) -> None:
    """Raise WrongCall where two rates of one currency, known at the same time, hold at the same time."""
    latest: dict[tuple[str, datetime], ExchangeRate] = {}
    for rate in sorted(rates, key=lambda rate: (rate.currency, rate.recorded_at, rate.valid_from)):
        before = latest.get((rate.currency, rate.recorded_at))
        if before is not None and before.valid_to > rate.valid_from:
            raise WrongCall(
                f"{name}: two {rate.currency} rates hold on {rate.valid_from:%Y-%m-%d}",
                hint="End the earlier one there (valid_to), or give the correction a later recorded_at",
            )
        latest[rate.currency, rate.recorded_at] = rate


def is_currency_code(text: str) -> bool:
    """Whether it is written as ISO 4217 writes codes."""
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def currency_code(text: str, where: str) -> str:
    """An ISO 4217 code. Raises WrongCall for anything else."""
    if is_currency_code(text):
        return text
    raise WrongCall(
        f"{where}: {text!r} is not a currency", hint="Write its ISO 4217 code, such as USD or CNY"
    )


def rate_picos(text: str | Decimal | int, where: str) -> int:
    """Picos of a rate.

    Raises WrongCall for what is not a positive decimal of at most twelve places, TypeError for a float.
    """
    if isinstance(text, float):
        raise TypeError(f"{where}: {text} is a float; a rate is a Decimal or a text")
    try:
        amount = Decimal(text)
        picos = picos_from_decimal(amount)
    except (InvalidOperation, ValueError) as error:
        raise WrongCall(
            f"{where}: {text!r} is not an amount", hint="Write a decimal, such as 0.14"
        ) from error
    if picos <= 0 or Decimal(picos).scaleb(-12) != amount:
        raise WrongCall(
            f"{where}: {text} is not a usable rate",
            hint="USD for one unit: positive, at most twelve decimals",
        )
    return picos


def _moment(text: str, where: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    except ValueError as error:
        raise WrongCall(f"{where}: {text!r} is not a date", hint="Write it as 2026-11-01") from error
