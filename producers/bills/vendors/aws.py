"""AWS Cost Explorer's GetCostAndUsage: what Bedrock cost by day, service and usage type.

Source: botocore 1.44.8, `ce` 2017-10-25. The endpoint is in us-east-1 for all regions; each request costs a cent;
figures lag by a day or two and say so (`Estimated`).

Kept are services whose name holds "Bedrock" (models of other makers are services of their own, "… (Amazon Bedrock
Edition)"), and those that the settings list as `resources`; all else of the account is not a model's. How usage types
spell a model could not be verified, so a model is named only where the service names it.
"""

import json
import re
from functools import partial
from typing import Any, Final

from producers.bills.reading import (
    Page,
    PageReading,
    amount,
    array,
    currency,
    day_or,
    needed_amount,
    needed_day,
)
from producers.bills.registry import Report, register
from producers.bills.request import Account, Request, Window
from producers.bills.signing.version4 import aws_signature
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line

_HOST: Final = "https://ce.us-east-1.amazonaws.com"
_EDITION: Final = re.compile(r"\s*\(Amazon Bedrock Edition\)\s*$", re.IGNORECASE)


def first_request(account: Account, window: Window) -> Request:
    """The first page of the window."""
    return _request(account, window, "")


def _request(account: Account, window: Window, token: str) -> Request:
    body: dict[str, Any] = {
        "TimePeriod": {"Start": window.start.isoformat(), "End": window.end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost", "UsageQuantity"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
    }
    if token:
        body["NextPageToken"] = token
    return Request(
        method="POST",
        url=f"{account.at(_HOST)}/",
        headers=(
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", "AWSInsightsIndexService.GetCostAndUsage"),
        ),
        body=json.dumps(body).encode(),
    )


def read_page(page: Page) -> PageReading:
    """A page of days, each with its groups."""
    reading = PageReading()
    for result in reading.rows(page.answer, "ResultsByTime", page.window.start):
        day = day_or(result, "TimePeriod.Start", page.window.start)
        for group in reading.rows(result, "Groups", day):
            reading.add(group, day, partial(_line, page.account, result))
    token = page.answer.text("NextPageToken")
    if token:
        reading.next = _request(page.account, page.window, token)
    return reading


def _line(account: Account, result: Answer, group: Answer) -> BillLine | None:
    keys = array(group, "Keys")
    if not keys or not all(isinstance(key, str) for key in keys):
        raise group.refusal("wrong_type", "Keys", "is not an array of names")
    service, usage_type = keys[0], keys[1] if len(keys) > 1 else ""
    if "bedrock" not in service.lower() and service not in account.resources:
        return None
    return bill_line(
        period_start=needed_day(result, "TimePeriod.Start", 0),
        period_end=needed_day(result, "TimePeriod.End", 0),
        line_item=", ".join(part for part in (service, usage_type) if part),
        model=_EDITION.sub("", service) if _EDITION.search(service) else "",
        amount=needed_amount(group, "Metrics.UnblendedCost.Amount"),
        currency=currency(group, "Metrics.UnblendedCost.Unit"),
        quantity=amount(group, "Metrics.UsageQuantity.Amount"),
        unit=group.text("Metrics.UsageQuantity.Unit"),
        is_final=result.find("Estimated") is not True,
    )


register(
    Report(
        vendor="aws",
        name="cost_and_usage",
        first=first_request,
        read=read_page,
        sign=aws_signature("us-east-1", "ce"),
        settle_days=5,
        final_after_days=3,
    )
)
