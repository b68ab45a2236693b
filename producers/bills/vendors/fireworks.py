"""Fireworks' rated costs by day and model, by day and key, and its metered usage; `vendor_account` is the account's id.

Source: https://docs.fireworks.ai/api-reference/query-usage-costs. An amount is a google.type.Money: whole units as a
string, billionths as a number, both of one sign. A query groups by two things at most, so the same money is asked for
twice, by key as a detail. Figures lag by a day or more.

The shape of `billingUsage` could not be verified: it is read as rows of the same form with `promptTokens` and
`completionTokens`, and asked for only where the settings name it.
"""

import json
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from producers.bills.reading import Page, PageReading, amount, count, currency, day_or, needed_day
from producers.bills.registry import Report, register
from producers.bills.request import Account, Request, Window, rfc3339
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line
from tokenweir.errors import WrongCall

_HOST: Final = "https://api.fireworks.ai"
_BILLIONTH: Final = Decimal("0.000000001")


def _account_url(account: Account) -> str:
    if not account.vendor_account:
        raise WrongCall(
            f"the bills of {account.name} need the id of a Fireworks account",
            hint="Set vendor_account in the settings",
        )
    return f"{account.at(_HOST)}/v1/accounts/{account.vendor_account}"


def first_costs_request(group: str, account: Account, window: Window) -> Request:
    """The first page of costs by day and `group`."""
    return _costs_request(group, account, window, "")


def _costs_request(group: str, account: Account, window: Window, token: str) -> Request:
    body: dict[str, Any] = {
        "scope": "ACCOUNT",
        "groupBy": ["DAY", group],
        "startTime": rfc3339(window.start_at),
        "endTime": rfc3339(window.end_at),
        "pageSize": 200,
    }
    if token:
        body["pageToken"] = token
    return Request(
        method="POST",
        url=f"{_account_url(account)}/usageCosts:query",
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(body).encode(),
    )


def read_costs(group: str, page: Page) -> PageReading:
    """A page of rows."""
    reading = PageReading()
    for row in reading.rows(page.answer, "rows", page.window.start):
        day = day_or(row, "dimensions.startTime", page.window.start)
        reading.add(row, day, partial(_cost_line, group, page.account))
    token = page.answer.text("nextPageToken")
    if token:
        reading.next = _costs_request(group, page.account, page.window, token)
    return reading


def _cost_line(group: str, account: Account, row: Answer) -> BillLine:
    start = needed_day(row, "dimensions.startTime", 0)
    key = row.text("dimensions.apiKey", "dimensions.apiKeyId") if group == "API_KEY" else ""
    units, nanos = amount(row, "subtotal.units"), amount(row, "subtotal.nanos")
    if units is None and nanos is None:
        raise row.refusal("missing_field", "subtotal.units", "is missing")
    return bill_line(
        period_start=start,
        period_end=start + timedelta(days=1),
        line_item="inference" if row.has_any("dimensions.model") or key else "other",
        model=row.text("dimensions.model"),
        api_key=account.label(key),
        amount=(units or Decimal(0)) + (nanos or Decimal(0)) * _BILLIONTH,
        currency=currency(row, "subtotal.currencyCode"),
        is_detail=group != "MODEL",
    )


def first_usage_request(account: Account, window: Window) -> Request:
    """Metered serverless usage by model."""
    return Request(
        method="GET",
        url=f"{_account_url(account)}/billingUsage",
        query=(
            ("startTime", rfc3339(window.start_at)),
            ("endTime", rfc3339(window.end_at)),
            ("usageType", "SERVERLESS"),
            ("groupBy", "DAY"),
            ("groupBy", "MODEL"),
        ),
    )


def read_usage(page: Page) -> PageReading:
    """A page of rows."""
    reading = PageReading()
    for row in reading.rows(page.answer, "rows", page.window.start):
        reading.add(row, day_or(row, "dimensions.startTime", page.window.start), _usage_line)
    token = page.answer.text("nextPageToken")
    if token:
        reading.next = page.request.asking(pageToken=token)
    return reading


def _usage_line(row: Answer) -> BillLine:
    row.need_any("promptTokens", "completionTokens")
    start = needed_day(row, "dimensions.startTime", 0)
    return bill_line(
        period_start=start,
        period_end=start + timedelta(days=1),
        line_item="serverless",
        model=row.text("dimensions.model"),
        input_tokens=count(row, "promptTokens"),
        cache_read_tokens=count(row, "cachedPromptTokens"),
        output_tokens=count(row, "completionTokens"),
    )


for _name, _group in (("usage_costs/model", "MODEL"), ("usage_costs/api_key", "API_KEY")):
    register(
        Report(
            vendor="fireworks",
            name=_name,
            first=partial(first_costs_request, _group),
            read=partial(read_costs, _group),
        )
    )
register(
    Report(vendor="fireworks", name="billing_usage", first=first_usage_request, read=read_usage, always=False)
)
