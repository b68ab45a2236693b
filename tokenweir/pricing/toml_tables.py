"""Tables of a TOML file together with the lines they stand on, so that a mistake can be pointed at.

Every method that reads a value raises WrongCall with the file, the line, the row, the reason and the fix.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tokenweir.errors import WrongCall
from tokenweir.money import picos_from_decimal
from tokenweir.pricing.exchange import is_currency_code

_RATE_DECIMALS: Final = 12
_RATE_LIMIT: Final = 10**12
_HEADER: Final = re.compile(r"\s*\[\[?\s*(\w+)\s*\]")

NumberedLines = list[tuple[int, str]]


def text_of(path: Path) -> str:
    """What a file kept by hand says. Raises WrongCall where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongCall(f"{path} cannot be read: {error.strerror}", hint="Check the path") from error
    except UnicodeDecodeError as error:
        raise WrongCall(f"{path} is not UTF-8: {error}", hint="Save it as UTF-8") from error


def document_of(text: str, file: str) -> dict[str, Any]:
    """TOML with its numbers as they are written. Raises WrongCall, naming the file and the place."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise WrongCall(f"{file}: {error}", hint="Mend the TOML at that place") from error


def top_table(text: str, document: Mapping[str, Any], file: str) -> "Table":
    """The file's own keys, those before its first table."""
    lines: NumberedLines = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            break
        lines.append((number, line))
    return Table(file, 0, document, lines)


def tables_of(text: str, document: Mapping[str, Any], key: str, file: str) -> list["Table"]:
    """The tables of the list `key`, in order, each with its lines."""
    tables = document.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise top_table(text, document, file).wrong(
            key, f"{key} is a list of tables", f"begin each with a line [[{key}]]"
        )
    blocks: list[NumberedLines] = []
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header is not None:
            name = header.group(1)
            if name == key:
                blocks.append([])
        if name == key:
            blocks[-1].append((number, line))
    if len(blocks) != len(tables):
        # Written inline (price = [{…}]): the lines cannot be told apart, the row numbers can.
        blocks = [[] for _ in tables]
    return [Table(file, number, table, blocks[number - 1]) for number, table in enumerate(tables, 1)]


class FileMistake(WrongCall):
    """A mistake in a file kept by hand. line: counted from 1; reason: without the place; hint: the fix."""

    def __init__(self, file: str, line: int, row: str, reason: str, fix: str) -> None:
        hint = fix[:1].upper() + fix[1:]
        super().__init__(f"{file}, line {line}{row}: {reason}", hint=hint)
        self.file = file
        self.line = line
        self.reason = reason


@dataclass
class Table:
    """One table of `file`; number: from 1 within its list, 0 for the top of the file."""

    file: str
    number: int
    values: Mapping[str, Any]
    lines: NumberedLines = field(default_factory=list)

    def wrong(self, key: str, reason: str, fix: str) -> FileMistake:
        """The error for a mistake at `key` of this row."""
        at = next((n for n, line in self.lines if re.match(rf'\s*["\']?{re.escape(key)}\b', line)), 0)
        at = at or next((n for n, line in self.lines if re.search(rf"\b{re.escape(key)}\b", line)), 0)
        at = at or (self.lines[0][0] if self.lines and self.number else 1)
        row = f", row {self.number}" if self.number else ""
        vendor = self.values.get("vendor", "")
        models = self.values.get("models", self.values.get("names", ""))
        named = ", ".join(map(str, models)) if isinstance(models, list) else models
        which = f" ({f'{vendor} {named}'.strip()})" if vendor else ""
        return FileMistake(self.file, at, f"{row}{which}", reason, fix)

    def refuse_unknown(self, table: Mapping[str, Any], known: frozenset[str]) -> None:
        """Refuse the first key of `table` that is not in `known`."""
        for key in table:
            if key not in known:
                if key == "currency":
                    raise self.wrong(
                        key, "a price has one currency", "write the other currency's price as its own row"
                    )
                raise self.wrong(key, f"unknown key {key}", "the keys here are " + ", ".join(sorted(known)))

    def text(self, key: str, otherwise: str | None = None) -> str:
        """A text; without `otherwise` it must be there."""
        value = self.values.get(key, otherwise)
        if not isinstance(value, str) or (otherwise is None and not value):
            raise self.wrong(key, f"{key} is missing or not a text", f'add {key} = "…"')
        return value

    def moment(self, table: Mapping[str, Any], key: str) -> datetime | None:
        """A date (its midnight in UTC) or a time with its offset; None where there is none."""
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise self.wrong(
                    key, f"{key} has no offset from UTC", "write it as 2026-11-01T00:00:00+08:00"
                )
            try:
                return value.astimezone(UTC)
            except OverflowError:
                raise self.wrong(
                    key, f"{key} {value} is not a time in UTC", "leave it out where there is no bound"
                ) from None
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC)
        raise self.wrong(key, f"{key} {value!r} is not a date", f"write {key} = 2026-11-01, without quotes")

    def currency(self) -> str:
        """The ISO 4217 code at `currency`."""
        code = self.text("currency")
        if not is_currency_code(code):
            raise self.wrong(
                "currency", f"{code!r} is not a currency", "write its ISO 4217 code, such as USD or CNY"
            )
        return code

    def picos(self, key: str, value: object) -> int:
        """A price in picos, from an exact decimal below 10^12: a call's cost has to fit into Decimal(38, 12)."""
        if isinstance(value, str):
            try:
                value = Decimal(value)
            except ArithmeticError:
                raise self.wrong(
                    key, f"{key} {value!r} is not a price", "write a number, such as 0.8"
                ) from None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            raise self.wrong(key, f"{key} {value!r} is not a price", "write a number, such as 0.8")
        amount = Decimal(value)
        if amount < 0:
            raise self.wrong(key, f"{key} {amount} is negative", "a price is 0 or more")
        if amount >= _RATE_LIMIT:
            raise self.wrong(key, f"{key} is far too large for a price", f"write less than {_RATE_LIMIT:,}")
        picos = picos_from_decimal(amount)
        if Decimal(picos).scaleb(-_RATE_DECIMALS) != amount:
            raise self.wrong(
                key, f"{key} {amount} has more than twelve decimals", "round it as the vendor bills it"
            )
        return picos

    def whole(self, key: str, value: object, least: int) -> int:
        """A whole number from `least` on."""
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(
                key, f"{key} {value!r} is not a whole number from {least}", f"write {key} = {least} or more"
            )
        return value
