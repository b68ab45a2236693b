"""Together's billing usage: line items with amounts by day, a month at a time.

Source: https://docs.together.ai/reference/billing-usage (a beta, enabled by organization). Decimal strings. Final
windows go up to `latest_window_end`; later days are not taken for empty. `product_name` is a display name that may
change: what it says of input and output is read for what it is worth.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from producers.bills.reading import (
    Page,
    PageReading,
    amount,
    currency,
    needed_amount,
    needed_moment,
    needed_text,
)
from producers.bills.registry import Report, register
from producers.bills.request import Account, Request, Window, months_of
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line

_HOST: Final = "https://api.together.xyz"


def first_request(account: Account, window: Window) -> Request:
    """The first page of the window's first month."""
    return _month_request(account, *months_of(window)[0])


def _month_request(account: Account, year: int, month: int) -> Request:
    organization = (("organization_id", account.vendor_account),) if account.vendor_account else ()
    return Request(
        method="GET",
        url=f"{account.at(_HOST)}/v1/billing/usage",
        query=(("month", f"{year}-{month:02}"), ("granularity", "day"), ("limit", "100"), *organization),
        tag=f"{year}-{month}",
    )


def read_page(page: Page) -> PageReading:
    """A page of the month's days; then the next page, or the next month."""
    reading = PageReading(covered_until=page.answer.moment("latest_window_end"))
    code = currency(page.answer, "currency", "USD")
    for window in reading.rows(page.answer, "data", page.window.start):
        start, end = needed_moment(window, "start_time"), needed_moment(window, "end_time")
        if not page.window.start_at <= start < page.window.end_at:
            continue
        for row in reading.rows(window, "line_items", start.date()):
            reading.add(row, start.date(), partial(_line, page.account, start, end, code))
    cursor = page.answer.text("next_cursor")
    months = months_of(page.window)
    following = (
        [f"{year}-{month}" for year, month in months].index(page.request.tag) + 1 if page.request.tag else 0
    )
    if cursor:
        reading.next = page.request.asking(after=cursor)
    elif 0 < following < len(months):
        reading.next = _month_request(page.account, *months[following])
    return reading


def _line(account: Account, start: datetime, end: datetime, code: str, row: Answer) -> BillLine:
    product = needed_text(row, "product_name")
    quantity = amount(row, "quantity")
    return bill_line(
        period_start=start.astimezone(UTC),
        period_end=end.astimezone(UTC),
        line_item=product,
        model=row.text("pricing_dimensions.model", "attributes.model"),
        project=account.label(row.text("attributes.project_id", "attributes.project")),
        api_key=account.label(row.text("attributes.api_key_id", "attributes.api_key")),
        amount=needed_amount(row, "cost"),
        currency=code,
        **_counts(product.lower(), quantity),
    )


def _counts(product: str, quantity: Decimal | None) -> dict[str, Any]:
    if quantity is None:
        return {}
    is_whole = quantity == int(quantity) and quantity >= 0
    if is_whole and product.endswith("cached input tokens"):
        return {"input_tokens": int(quantity), "cache_read_tokens": int(quantity)}
    if is_whole and product.endswith("input tokens"):
        return {"input_tokens": int(quantity)}
    if is_whole and product.endswith("output tokens"):
        return {"output_tokens": int(quantity)}
    return {"quantity": quantity, "unit": "units"}


register(Report(vendor="together", name="billing_usage", first=first_request, read=read_page))
