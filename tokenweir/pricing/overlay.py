"""Price rows, exchange rates and contracts kept by hand in TOML: the project's own data and a company's file.

The form is told in docs/prices.md. A file with a mistake is refused as a whole, with the line, the reason and the fix:
a price that is read wrongly is worse than one that is missing.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, ParamSpec, Protocol, TypeVar

from tokenweir.errors import WrongCall
from tokenweir.pricing.aliases import Alias
from tokenweir.pricing.allowance_tables import allowance_row
from tokenweir.pricing.allowances import Allowance
from tokenweir.pricing.contract_tables import alias_row, discount_row, self_hosted_row
from tokenweir.pricing.contracts import Contracts, Discount
from tokenweir.pricing.exchange import ExchangeRate
from tokenweir.pricing.matching import Match
from tokenweir.pricing.price import BEGINNING, END, Price
from tokenweir.pricing.price_tables import price_row
from tokenweir.pricing.sources import RowSource
from tokenweir.pricing.toml_tables import Table, document_of, tables_of, text_of, top_table

_PUBLIC_KEYS: Final = frozenset(("name", "recorded_at", "price", "exchange_rate"))
_KEYS: Final = {
    "company": _PUBLIC_KEYS | {"self_hosted", "discount", "alias", "allowance"},
    "public": _PUBLIC_KEYS,
    "recorded": _PUBLIC_KEYS | {"previous", "feed"},
}
_P = ParamSpec("_P")
_T = TypeVar("_T")
_R = TypeVar("_R")
Kind = Literal["company", "public", "recorded"]
"""Whose file it is: a company's, one of public prices, or one that an update wrote."""


class Overlay(RowSource):
    """What one file holds. contracts: its rows, discounts, aliases and allowances, as a company's.

    discount_tables, alias_tables, allowance_tables: the tables that these were read from, for what can only be checked
    beside other sources.
    """

    def __init__(
        self,
        rows: list[Price],
        exchange_rates: list[ExchangeRate],
        discounts: Iterable[tuple[Discount, Table]] = (),
        aliases: Iterable[tuple[Alias, Table]] = (),
        allowances: Iterable[tuple[Allowance, Table]] = (),
    ) -> None:
        super().__init__(rows)
        self.exchange_rates = exchange_rates
        self.discount_tables = tuple(discounts)
        self.alias_tables = tuple(aliases)
        self.allowance_tables = tuple(allowances)
        self.contracts = Contracts(
            rows,
            (found for found, _ in self.discount_tables),
            (found for found, _ in self.alias_tables),
            (found for found, _ in self.allowance_tables),
        )


def read_overlay_file(path: Path) -> Overlay:
    """A company's overlay. Raises WrongCall with the line, the reason and the fix."""
    return read_overlay(text_of(path), path.name)


def read_overlay(text: str, name: str, *, kind: Kind = "company") -> Overlay:
    """What a file holds, from its TOML. Raises WrongCall as above; name: of the file, for the message.

    kind: only a company's file holds contracts.
    """
    overlay, mistakes = read_with_mistakes(text, name, kind=kind)
    for mistake in mistakes:
        raise mistake
    return overlay


def read_with_mistakes(text: str, name: str, *, kind: Kind = "company") -> tuple[Overlay, list[WrongCall]]:
    """What is right in a file, and every mistake that can be found in it: of each table the first, then conflicts.

    Raises WrongCall where it is no TOML at all.
    """
    document = document_of(text, name)
    top = top_table(text, document, name)
    mistakes = _Mistakes()
    mistakes.kept(top.refuse_unknown, document, _KEYS[kind])
    recorded_at = mistakes.kept(top.moment, document, "recorded_at")
    if recorded_at is None and "recorded_at" in document:
        # Told once, not again for every row.
        recorded_at = BEGINNING
    label = document.get("name", Path(name).stem)
    if not isinstance(label, str):
        mistakes.append(top.wrong("name", "the name of the file's prices is a text", 'write name = "acme"'))

    def read(key: str, reader: Callable[[Table, str, datetime | None], _R]) -> list[tuple[_R, Table]]:
        tables = mistakes.kept(tables_of, text, document, key, name) or []
        rows = ((mistakes.kept(reader, table, str(label), recorded_at), table) for table in tables)
        return [(row, table) for row, table in rows if row is not None]

    rows = [*read("price", price_row), *read("self_hosted", self_hosted_row)]
    rates = read("exchange_rate", _exchange_rate)
    discounts = read("discount", discount_row)
    aliases = read("alias", alias_row)
    allowances = read("allowance", allowance_row)
    mistakes += _price_conflicts(rows)
    mistakes += _discount_conflicts(discounts)
    mistakes += _alias_conflicts(aliases)
    mistakes += _allowance_conflicts(allowances)
    mistakes += _rate_conflicts(rates)
    return Overlay(
        [price for price, _ in rows], [rate for rate, _ in rates], discounts, aliases, allowances
    ), mistakes


class _Mistakes(list[WrongCall]):
    def kept(self, read: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T | None:
        """What `read` gives; None where it raises WrongCall, which is kept."""
        try:
            return read(*arguments, **named)
        except WrongCall as mistake:
            self.append(mistake)
            return None


def _exchange_rate(row: Table, _: str, file_recorded_at: datetime | None) -> ExchangeRate:
    row.refuse_unknown(
        row.values, frozenset(("currency", "usd_per_unit", "valid_from", "valid_to", "recorded_at", "source"))
    )
    currency = row.currency()
    if currency == "USD":
        raise row.wrong("currency", "a rate says what another currency is in USD", "name that currency")
    picos = row.picos("usd_per_unit", row.values.get("usd_per_unit"))
    if not picos:
        raise row.wrong("usd_per_unit", "0 is not a usable rate", "write what one unit is in USD")
    starts_at = row.moment(row.values, "valid_from")
    recorded_at = row.moment(row.values, "recorded_at") or file_recorded_at
    if starts_at is None or recorded_at is None:
        missing = "valid_from" if starts_at is None else "recorded_at"
        raise row.wrong(missing, f"{missing} is missing", f"add {missing} = 2026-11-01")
    ends_at = row.moment(row.values, "valid_to") or END
    if ends_at <= starts_at:
        raise row.wrong(
            "valid_to", "the rate ends before it begins", "valid_to is the first day it no longer holds"
        )
    return ExchangeRate(
        currency,
        starts_at,
        ends_at,
        picos,
        recorded_at,
        row.text("source"),
    )


class _Dated(Protocol):
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


_D = TypeVar("_D", bound=_Dated)
_Seen = dict[tuple[object, ...], list[tuple[_D, Table]]]


def _price_conflicts(rows: list[tuple[Price, Table]]) -> Iterator[WrongCall]:
    """Two rows for the same name that hold at the same time, or that disagree about the currency."""
    seen: _Seen[Price] = {}
    for price, row in rows:
        for name in _names(price.match):
            key = (price.vendor, name, price.service_tier, price.regions)
            for other, other_row in seen.setdefault(key, []):
                if price.currency != other.currency and price.currency and other.currency:
                    yield row.wrong(
                        "currency",
                        f"priced in {price.currency}, but in {other.currency} in {_place(other_row)}",
                        "price a model in one currency; a price for another region names its regions",
                    )
                if price.schedule == other.schedule:
                    yield from _overlap(price, row, other, other_row)
            seen[key].append((price, row))


def _discount_conflicts(rows: list[tuple[Discount, Table]]) -> Iterator[WrongCall]:
    """Two discounts on the same name that hold at the same time."""
    seen: _Seen[Discount] = {}
    for discount, row in rows:
        for name in _names(discount.match):
            for tier in discount.service_tiers or ("",):
                others = seen.setdefault((discount.vendor, name, tier, discount.regions), [])
                for other, other_row in others:
                    yield from _overlap(discount, row, other, other_row)
                others.append((discount, row))


def _alias_conflicts(rows: list[tuple[Alias, Table]]) -> Iterator[WrongCall]:
    """Two meanings of the same name that hold at the same time."""
    seen: _Seen[Alias] = {}
    for alias, row in rows:
        for name in _names(alias.match):
            others = seen.setdefault((alias.vendor, name), [])
            for other, other_row in others:
                yield from _overlap(alias, row, other, other_row)
            others.append((alias, row))


def _allowance_conflicts(rows: list[tuple[Allowance, Table]]) -> Iterator[WrongCall]:
    """Two allowances of one id that hold at the same time."""
    seen: _Seen[Allowance] = {}
    for allowance, row in rows:
        others = seen.setdefault((allowance.allowance_id,), [])
        for other, other_row in others:
            yield from _overlap(
                allowance,
                row,
                other,
                other_row,
                "give each pack an id of its own, end the earlier one where the later begins (valid_to), or give a "
                "correction a later recorded_at",
            )
        others.append((allowance, row))


def _rate_conflicts(rows: list[tuple[ExchangeRate, Table]]) -> Iterator[WrongCall]:
    """Two rates of one currency that hold at the same time."""
    seen: _Seen[ExchangeRate] = {}
    for rate, row in rows:
        others = seen.setdefault((rate.currency,), [])
        for other, other_row in others:
            yield from _overlap(rate, row, other, other_row)
        others.append((rate, row))


def _names(match: Match | None) -> set[str]:
    """What a rule means, as texts of which two rules for the same models share one."""
    if match is None:
        return {"*"}
    return {str(rule).lower() for rule in (match.rules if match.operation == "or" else (match,))}


def _overlap(
    one: _Dated,
    row: Table,
    other: _Dated,
    other_row: Table,
    fix: str = "end the earlier one where the later begins (valid_to), or give a correction a later recorded_at",
) -> Iterator[WrongCall]:
    known_at_once = one.recorded_at == other.recorded_at
    if known_at_once and one.starts_at < other.ends_at and other.starts_at < one.ends_at:
        starts_at = max(one.starts_at, other.starts_at)
        since = "" if starts_at == BEGINNING else f", from {starts_at:%Y-%m-%d} on"
        yield row.wrong(
            "valid_from",
            f"overlaps {_place(other_row)}{since}",
            fix,
        )


def _place(row: Table) -> str:
    line = f" on line {row.lines[0][0]}" if row.lines else ""
    return f"row {row.number}{line}"
