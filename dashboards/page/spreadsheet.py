"""A panel's answer as CSV (RFC 4180, UTF-8), every figure exact.

A text that a spreadsheet would take for a formula gets an apostrophe in front; figures never do. The file begins with
a byte order mark, by which spreadsheets know UTF-8. A figure that nobody knows is an empty cell.
"""

import csv
import io
from typing import Any, Final

from dashboards.panels.panel import Field, Unit
from dashboards.panels.question import Answer

_BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_UNIT_WORDS: Final[dict[Unit, str]] = {
    Unit.TEXT: "",
    Unit.TIME: "UTC",
    Unit.DAY: "UTC",
    Unit.USD: "USD",
    Unit.USD_PER_DAY: "USD per day",
    Unit.USD_PER_MILLION_TOKENS: "USD per million tokens",
    Unit.USD_PER_THOUSAND_CALLS: "USD per thousand calls",
    Unit.CALLS: "calls",
    Unit.TOKENS: "tokens",
    Unit.COUNT: "count",
    Unit.TOKENS_PER_SECOND: "tokens per second",
    Unit.CALLS_PER_SECOND: "calls per second",
    Unit.MILLISECONDS: "ms",
    Unit.SECONDS: "s",
    Unit.DAYS: "days",
    Unit.PERCENT: "%",
    Unit.RATIO: "times",
    Unit.NUMBER: "",
}


def csv_of(answer: Answer) -> str:
    """The answer with a header of titles and units."""
    out = io.StringIO()
    writer = csv.writer(out)
    fields = answer.panel.fields
    writer.writerow([_harmless(_heading(each)) for each in fields])
    for row in answer.rows:
        writer.writerow([_cell(value, each.unit) for value, each in zip(row, fields, strict=True)])
    return _BYTE_ORDER_MARK + out.getvalue()


def _heading(field: Field) -> str:
    unit = _UNIT_WORDS[field.unit]
    return f"{field.title} ({unit})" if unit and unit != field.title.lower() else field.title


def _cell(value: Any, unit: Unit) -> str:
    if value is None:
        return ""
    return _harmless(str(value)) if unit is Unit.TEXT else str(value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_BEGINS) else text
