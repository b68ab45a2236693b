"""Google Cloud's billing export, as rows that were taken out of BigQuery: files, nothing to poll.

Source: https://docs.cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/standard-usage. Kept are the
services of Gemini and Vertex AI, those whose name begins with "claude", and those that the settings list as
`resources`. The names of SKUs for Gemini tokens could not be verified, so there is no model and no count of tokens: the
SKU is the line item, its usage the quantity.

`cost` comes before credits, which are lines of their own with a negative amount: free usage and discounts stay visible.
A column may be nested as BigQuery's JSON has it, or named `service_description` or `service.description` in CSV.
`currency_conversion_rate` is units of the currency for one dollar.
"""

import json
from collections.abc import Mapping
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
from producers.bills.request import Account, Request, Window
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line
from tokenweir.errors import WrongCall

_SERVICES: Final = ("vertex ai", "gemini api", "generative language api")
_FLAT: Final = ("usage_start_time", "usage_end_time")
_NESTED: Final = ("service", "sku", "project", "location", "usage", "invoice")


def no_request(account: Account, window: Window) -> Request:
    """Raises WrongCall: there is nothing to ask."""
    raise WrongCall(
        "Google Cloud's billing export cannot be polled",
        hint="Export its rows from BigQuery and read them with `weir bills import FILE --vendor google`",
    )


def read_rows(page: Page) -> PageReading:
    """All rows of a file, given as the array `rows`."""
    reading = PageReading()
    for row in reading.rows(page.answer, "rows", page.window.start):
        reading.add(Answer(nested(row.body), row.at), page.window.start, partial(_lines, page.account))
    return reading


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """A flat CSV row as BigQuery's JSON has it."""
    found: dict[str, Any] = {name: value for name, value in row.items() if value != ""}
    for name in [name for name in found if name not in _FLAT]:
        parent, _, child = name.partition("." if "." in name else "_")
        if parent in _NESTED and child and not isinstance(found.get(parent), str):
            found.setdefault(parent, {})[child] = found.pop(name)
    if isinstance(found.get("credits"), str):
        try:
            found["credits"] = json.loads(found["credits"], parse_float=Decimal)
        except (ValueError, RecursionError):
            found["credits"] = None
    return found


def _lines(account: Account, row: Answer) -> list[BillLine]:
    service = needed_text(row, "service.description")
    if not (
        service.lower() in _SERVICES or service.lower().startswith("claude") or service in account.resources
    ):
        return []
    sku = row.text("sku.description", "sku.id")
    kind = row.text("cost_type")
    place = {
        "period_start": needed_moment(row, "usage_start_time"),
        "period_end": needed_moment(row, "usage_end_time"),
        "project": account.label(row.text("project.id", "project.name")),
        "region": row.text("location.location"),
        "currency": currency(row, "currency"),
    }
    rate = amount(row, "currency_conversion_rate")
    lines = [
        bill_line(
            **place,
            line_item=", ".join(part for part in (service, sku, kind if kind != "regular" else "") if part),
            quantity=amount(row, "usage.amount"),
            unit=row.text("usage.unit"),
            **_money(needed_amount(row, "cost"), rate),
        )
    ]
    for credit in row.parts("credits"):
        name = credit.text("full_name", "name", "type", "id") or "credit"
        lines.append(
            bill_line(**place, line_item=f"credit: {name}", **_money(needed_amount(credit, "amount"), rate))
        )
    return lines


def _money(cost: Decimal, rate: Decimal | None) -> dict[str, Decimal]:
    if rate is None or rate <= 0:
        return {"amount": cost}
    return {"amount": cost, "amount_usd": round(cost / rate, 12)}


register(
    Report(
        vendor="google", name="billing_export", first=no_request, read=read_rows, most_days=366, always=False
    )
)
