"""Reading one page of a report: rows into bill lines, each bad row refused by itself.

A row that lacks a field, or holds one that cannot be, costs that row and leaves a refusal that names the field. A page
that has not even the array of rows is refused whole: taken for empty it would make a day's bill vanish.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from producers.bills.request import Account, Request, Window
from producers.vendors.answer import Answer
from producers.vendors.numbers import is_sensible
from tokenweir.bills.line import LATEST_END, BillLine, day_of
from tokenweir.bills.snapshot import day_start
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import EARLIEST_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One decoded answer with what it answers. now: UTC."""

    answer: Answer
    request: Request
    account: Account
    window: Window
    now: datetime

    @property
    def day(self) -> date:
        """The day that was asked for, as the request's tag begins with it; else the window's first."""
        return date.fromisoformat(self.request.tag[:10]) if self.request.tag else self.window.start


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that could not be read. day: to which it belongs, as far as that is known."""

    day: date
    row: Mapping[str, Any]
    error: RejectedInput


@dataclass(slots=True)
class PageReading:
    """What a page holds.

    next: the request for what follows, None at the end. covered_until: up to when the vendor has anything to say;
    later days are not taken for empty.
    """

    lines: list[BillLine] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    next: Request | None = None
    covered_until: datetime | None = None

    def add(
        self,
        row: Answer,
        day: date,
        make: Callable[[Answer], BillLine | Sequence[BillLine] | None],
    ) -> None:
        """The line or lines that `make` reads out of a row; a row that it refuses with RejectedInput is noted."""
        try:
            made = make(row)
        except RejectedInput as error:
            self.refusals.append(Refusal(day, row.body, error))
            return
        if isinstance(made, BillLine):
            self.lines.append(made)
        elif made is not None:
            self.lines.extend(made)

    def rows(self, answer: Answer, path: str, day: date) -> Iterator[Answer]:
        """The objects of the array at `path`, which must be there; what is no object is noted as refused."""
        items = array(answer, path)
        for position, item in enumerate(items):
            at = f"{answer.at}.{path}.{position}" if answer.at else f"{path}.{position}"
            if isinstance(item, Mapping):
                yield Answer(item, at)
            else:
                error = RejectedInput("wrong_type", f"{at} is not an object", field=at)
                self.refusals.append(Refusal(day, {}, error))


def array(answer: Answer, path: str) -> Sequence[Any]:
    """The array at `path`. Raises RejectedInput where there is none."""
    value = answer.find(path)
    if value is None:
        raise answer.refusal("missing_field", path, "is missing")
    if not isinstance(value, list):
        raise answer.refusal("wrong_type", path, "is not an array")
    return value


def amount(row: Answer, *paths: str) -> Decimal | None:
    """The number at the first of `paths` that is there, written as a JSON number or as a string; may be negative."""
    for path in paths:
        value = row.find(path)
        if value is None or value == "":
            continue
        number = _number(value)
        if number is None:
            raise row.refusal("wrong_type", path, "is not a number")
        return number
    return None


def needed_amount(row: Answer, *paths: str) -> Decimal:
    """As `amount`, but it must be there."""
    number = amount(row, *paths)
    if number is None:
        raise row.refusal("missing_field", paths[0], "is missing")
    return number


def count(row: Answer, *paths: str) -> int | None:
    """The whole number at the first of `paths` that is there, not negative."""
    for path in paths:
        number = amount(row, path)
        if number is None:
            continue
        if number != int(number):
            raise row.refusal("wrong_type", path, "is not a whole number")
        if number < 0:
            raise row.refusal("out_of_range", path, "is negative")
        return int(number)
    return None


def needed_count(row: Answer, *paths: str) -> int:
    """As `count`, but it must be there."""
    number = count(row, *paths)
    if number is None:
        raise row.refusal("missing_field", paths[0], "is missing")
    return number


def needed_text(row: Answer, *paths: str) -> str:
    """The string at the first of `paths` that holds one. Raises RejectedInput where none does."""
    text = row.text(*paths)
    if not text:
        raise row.refusal("missing_field", paths[0], "is missing")
    return text


def needed_moment(row: Answer, *paths: str) -> datetime:
    """The time at the first of `paths`, UTC. Raises RejectedInput where there is none, or one before 2020."""
    moment = row.moment(*paths)
    if moment is None:
        raise row.refusal("missing_field", paths[0], "is missing or lies before 2020")
    if moment >= LATEST_END:
        raise row.refusal("implausible_time", paths[0], f"lies after {LATEST_END:%Y}")
    return moment


def needed_day(row: Answer, path: str, utc_offset_minutes: int) -> datetime:
    """When the day that a row names (`2026-11-01`, `20261101`, or a time within it) begins, UTC."""
    text = needed_text(row, path)
    digits = text[:10].replace("-", "")[:8]
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        raise row.refusal("implausible_time", path, "is not a day") from None
    if not EARLIEST_TIME.date() <= day < LATEST_END.date():
        raise row.refusal(
            "implausible_time", path, f"lies before {EARLIEST_TIME:%Y} or after {LATEST_END:%Y}"
        )
    return day_start(day, utc_offset_minutes)


def day_or(row: Answer, path: str, fallback: date, utc_offset_minutes: int = 0) -> date:
    """The vendor's day that a row names or in which its time lies, for the sake of its refusal; else `fallback`."""
    try:
        start = (
            needed_day(row, path, utc_offset_minutes)
            if isinstance(row.find(path), str)
            else needed_moment(row, path)
        )
    except RejectedInput:
        return fallback
    return day_of(start, utc_offset_minutes)


def currency(row: Answer, path: str, default: str = "") -> str:
    """An ISO 4217 code at `path`, in capitals; `default` where there is none, and refused where that is empty."""
    code = row.text(path).upper() or default
    if not code:
        raise row.refusal("missing_field", path, "is missing")
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise row.refusal("out_of_range", path, "is not the code of a currency")
    return code


def need_success(answer: Answer, path: str = "success") -> None:
    """Raises RejectedInput where the vendor answers that it did not succeed."""
    if answer.find(path) is False:
        raise answer.refusal("missing_field", path, "is false: the vendor could not answer")


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    if isinstance(value, str) and len(value) > 64:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if is_sensible(number) else None
