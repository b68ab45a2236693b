"""Volcano Engine Ark's GetUsage: tokens by day, for each endpoint that the settings list (`resources`), else in all.

Source: https://www.volcengine.com/docs/82379/1390292 (a beta). The documented metrics are PromptTokens and
CompletionTokens; any other that an answer has becomes a line with a quantity. An answer does not say what it is of, so
each endpoint is asked for by itself. Days are Beijing's, as in the documentation's example. Amounts are in the cloud
bill, which is not read here.
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from producers.bills.reading import (
    Page,
    PageReading,
    count,
    day_or,
    needed_amount,
    needed_moment,
    needed_text,
)
from producers.bills.registry import BEIJING_MINUTES, Report, register
from producers.bills.request import Account, Request, Window
from producers.bills.signing.version4 import volcano_signature
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line
from tokenweir.errors import RejectedInput

_HOST: Final = "https://open.volcengineapi.com"
_FIELDS: Final = {"PromptTokens": "input_tokens", "CompletionTokens": "output_tokens"}


def first_request(account: Account, window: Window) -> Request:
    """The first endpoint, the whole window."""
    return _endpoint_request(account, window, 0)


def _endpoint_request(account: Account, window: Window, number: int) -> Request:
    body: dict[str, object] = {
        "Interval": 86400,
        "StartTime": int(window.start_at.timestamp()),
        # The last day is named by its beginning.
        "EndTime": int((window.end_at - timedelta(days=1)).timestamp()),
        "ProjectName": account.vendor_account or "default",
    }
    if account.resources:
        body["EndpointIds"] = [account.resources[number]]
    return Request(
        method="POST",
        url=f"{account.at(_HOST)}/",
        query=(("Action", "GetUsage"), ("Version", "2024-01-01")),
        headers=(("Content-Type", "application/json; charset=UTF-8"),),
        body=json.dumps(body).encode(),
        tag=str(number),
    )


def read_page(page: Page) -> PageReading:
    """All metrics of one endpoint, put together by day; then the next endpoint."""
    if page.answer.has_any("ResponseMetadata.Error"):
        raise page.answer.refusal("missing_field", "Result", "is missing: the vendor answers with an error")
    result = page.answer.part("Result") if page.answer.has_any("Result") else page.answer
    reading = PageReading()
    number = int(page.request.tag or 0)
    endpoint = page.account.resources[number] if page.account.resources else ""
    counts: dict[datetime, dict[str, int]] = {}
    for metric in reading.rows(result, "UsageResults", page.window.start):
        for item in reading.rows(metric, "MetricItems", page.window.start):
            for value in reading.rows(item, "Values", page.window.start):
                day = day_or(value, "Timestamp", page.window.start, page.window.utc_offset_minutes)
                reading.add(value, day, partial(_value, metric, endpoint, page.account, counts))
    for start, found in sorted(counts.items()):
        reading.lines.append(
            bill_line(**_place(start, endpoint, page.account), line_item="inference", **found)
        )
    if number + 1 < len(page.account.resources):
        reading.next = _endpoint_request(page.account, page.window, number + 1)
    return reading


def _value(
    metric: Answer,
    endpoint: str,
    account: Account,
    counts: dict[datetime, dict[str, int]],
    value: Answer,
) -> BillLine | None:
    """Adds up what is tokens; gives a line for what is not."""
    start = needed_moment(value, "Timestamp")
    name = needed_text(metric, "Name")
    field = _FIELDS.get(name)
    if field is None:
        amount = needed_amount(value, "Value")
        return (
            bill_line(**_place(start, endpoint, account), line_item=name, quantity=amount, unit=name)
            if amount
            else None
        )
    found = count(value, "Value")
    if found is None:
        raise value.refusal("missing_field", "Value", "is missing")
    if Decimal(found) > 10**15:
        raise RejectedInput(
            "out_of_range", f"{value.at}.Value is no count of tokens", field=f"{value.at}.Value"
        )
    day = counts.setdefault(start, {})
    day[field] = day.get(field, 0) + found
    return None


def _place(start: datetime, endpoint: str, account: Account) -> dict[str, object]:
    return {
        "period_start": start,
        "period_end": start + timedelta(days=1),
        "model": account.label(endpoint),
        "project": account.vendor_account,
        "currency": "CNY",
    }


register(
    Report(
        vendor="volcengine",
        name="get_usage",
        first=first_request,
        read=read_page,
        sign=volcano_signature("cn-beijing", "ark"),
        utc_offset_minutes=BEIJING_MINUTES,
    )
)
