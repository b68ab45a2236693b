"""Mistral's admin usage, a month at a time.

Source: https://docs.mistral.ai/admin/admin-api/usage-metrics; the body is that of the console's twin, which several
clients read (that the two are the same could not be verified).

- There is no amount: it is `value_paid` times the price of the row's metric, in the account's currency, often euros.
- A row belongs to a group `input`, `output` or `cached`; that a cached row is not also in `input` is taken from their
  having prices of their own, and could not be verified.
- `vibe_usage` is a number without a day and is left out.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from producers.bills.reading import Page, PageReading, count, currency, day_or, needed_amount, needed_day
from producers.bills.registry import Report, register
from producers.bills.request import Account, Request, Window, months_of, x_api_key
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line

_HOST: Final = "https://console.mistral.ai"
_MOST_DEPTH: Final = 8
Prices = Mapping[tuple[str, str, str], Decimal]


def first_request(account: Account, window: Window) -> Request:
    """The window's first month."""
    return _month_request(account, *months_of(window)[0])


def _month_request(account: Account, year: int, month: int) -> Request:
    workspace = (("workspace_id", account.vendor_account),) if account.vendor_account else ()
    return Request(
        method="GET",
        url=f"{account.at(_HOST)}/api/admin/usage",
        query=(("month", str(month)), ("year", str(year)), *workspace),
        tag=f"{year}-{month}",
    )


def read_page(page: Page) -> PageReading:
    """A month's rows, those of the window's days only; then the next month that the window touches."""
    reading = PageReading()
    prices = _prices(reading, page)
    code = currency(page.answer, "currency")
    for path, row in _rows(page.answer.body, (), 0):
        answer = Answer(row, ".".join(path))
        day = day_or(answer, "timestamp", page.window.start)
        reading.add(answer, day, partial(_line, page, path, prices, code))
    months = [f"{year}-{month}" for year, month in months_of(page.window)]
    following = months.index(page.request.tag) + 1 if page.request.tag in months else len(months)
    if following < len(months):
        reading.next = _month_request(page.account, *months_of(page.window)[following])
    return reading


def _prices(reading: PageReading, page: Page) -> Prices:
    prices: dict[tuple[str, str, str], Decimal] = {}

    def note(row: Answer) -> None:
        prices[_metric(row)] = needed_amount(row, "price")

    for row in reading.rows(page.answer, "prices", page.window.start):
        reading.add(row, page.window.start, note)
    return prices


def _metric(row: Answer) -> tuple[str, str, str]:
    return row.text("event_type"), row.text("billing_metric"), row.text("billing_group")


def _rows(
    node: Any, path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every usage row below a node: categories nest to different depths."""
    if not isinstance(node, Mapping) or depth > _MOST_DEPTH:
        return
    for name, inner in node.items():
        if isinstance(inner, list) and name != "prices":
            for row in inner:
                if isinstance(row, Mapping) and "billing_metric" in row:
                    yield (*path, name), row
        else:
            yield from _rows(inner, (*path, name), depth + 1)


def _line(page: Page, path: tuple[str, ...], prices: Prices, code: str, row: Answer) -> BillLine | None:
    start = needed_day(row, "timestamp", 0)
    if not page.window.start_at <= start < page.window.end_at:
        return None
    value, paid = needed_amount(row, "value"), needed_amount(row, "value_paid", "value")
    price = prices.get(_metric(row))
    if price is None and paid:
        raise row.refusal("missing_field", "billing_metric", "has no price in this answer")
    group, tokens = row.text("billing_group"), row.text("event_type") == "api_tokens"
    counts: dict[str, Any] = {}
    if tokens and group in ("input", "cached"):
        counts["input_tokens"] = count(row, "value")
        counts["cache_read_tokens"] = count(row, "value") if group == "cached" else 0
    elif tokens and group == "output":
        counts["output_tokens"] = count(row, "value")
    else:
        counts.update(quantity=value, unit=row.text("event_type"))
    return bill_line(
        period_start=start.astimezone(UTC),
        period_end=start + timedelta(days=1),
        line_item=", ".join(part for part in (path[0], row.text("billing_metric"), group) if part),
        model=row.text("billing_metric"),
        project=page.account.label(page.account.vendor_account),
        amount=paid * (price or Decimal(0)),
        currency=code,
        **counts,
    )


register(
    Report(
        vendor="mistral",
        name="admin_usage",
        first=first_request,
        read=read_page,
        sign=x_api_key,
        most_days=62,
    )
)
