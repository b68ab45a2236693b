"""Reports from files: pages that somebody kept, and rows that were exported.

A file holds JSON (one answer of the vendor's interface), JSON Lines (an answer, or an exported row, a line), or CSV
(exported rows). Rows are what is not an answer by itself: they are read together, as the array `rows`.

A file replaces the days of which it has lines, each as a whole: export whole days. It cannot say that a day is empty.
"""

import csv
import io
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from producers.bills.poll import ReportReading, read_page, snapshots
from producers.bills.reading import Page, PageReading
from producers.bills.registry import Report, report_names, reports_of
from producers.bills.request import Account, Request, Window
from producers.vendors.answer import Answer
from tokenweir.bills.line import day_of
from tokenweir.errors import WrongCall
from tokenweir.pricing.exchange import ExchangeRates

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
_EVER: Final = Window(date(2020, 1, 1), date(2100, 1, 1))
_OF_ROWS: Final = ("google",)


def report_to_import(vendor: str, name: str) -> Report:
    """The report of that name, or the vendor's only one. Raises WrongCall where it has to be named."""
    names = report_names(vendor)
    if not name and len(names) > 1:
        raise WrongCall(f"{vendor} has several reports", hint=f"Say which with --report: {', '.join(names)}")
    return reports_of(vendor, [name or names[0]])[0]


def read_file(
    path: Path,
    report: Report,
    account: Account,
    *,
    now: datetime,
    rates: ExchangeRates,
    day: date | None = None,
) -> ReportReading:
    """The snapshots of every day that the file has lines of.

    day: of an answer that does not say of which day it is. Raises WrongCall for a file that cannot be read, and
    ReportUnreadable for an answer of another shape.
    """
    values = _values(path)
    bodies = [{"rows": values}] if report.vendor in _OF_ROWS else values
    offset = report.utc_offset_minutes
    window = (
        Window(_EVER.start, _EVER.end, offset)
        if day is None
        else Window(day, day + timedelta(days=1), offset)
    )
    tag = "" if day is None else day.isoformat()
    gathered = PageReading()
    for number, body in enumerate(bodies, 1):
        if not isinstance(body, dict):
            raise WrongCall(
                f"{path.name}: answer {number} is no JSON object", hint="Keep answers as they came"
            )
        request = Request(method="GET", url=str(path.name), tag=tag)
        page = Page(answer=Answer(body), request=request, account=account, window=window, now=now)
        reading = read_page(report, page)
        gathered.lines += reading.lines
        gathered.refusals += reading.refusals
    days = sorted({day_of(line.period_start, offset) for line in gathered.lines})
    return snapshots(report, account, gathered, days, now=now, rates=rates)


def _values(path: Path) -> list[Any]:
    """The JSON values of a file, or its CSV rows."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise WrongCall(f"{path.name} has more than {MAX_FILE_BYTES} bytes", hint="Split it by days")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise WrongCall(f"{path.name} is not UTF-8", hint="Export it as UTF-8") from None
    except OSError as error:
        raise WrongCall(f"{path} cannot be read: {error.strerror}", hint="Check the path") from error
    if path.suffix.lower() == ".csv":
        return _csv_rows(path, text)
    try:
        whole = _loads(text)
    except ValueError:
        return _json_lines(path, text)
    return whole if isinstance(whole, list) else [whole]


def _csv_rows(path: Path, text: str) -> list[Any]:
    try:
        return list(csv.DictReader(io.StringIO(text), strict=True))
    except csv.Error:
        raise WrongCall(
            f"{path.name} is no CSV with a line of names", hint="Export it with headers"
        ) from None


def _json_lines(path: Path, text: str) -> list[Any]:
    found: list[Any] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                found.append(_loads(line))
            except ValueError:
                raise WrongCall(
                    f"{path.name}, line {number} is no JSON",
                    hint="Give JSON, JSON Lines, or CSV ending in .csv",
                ) from None
    return found


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except RecursionError:
        raise ValueError("nested too deep") from None
