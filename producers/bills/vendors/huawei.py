"""Huawei Cloud ModelArts MaaS statistics: tokens by day, kind of service and kind of inference.

Source: https://support.huaweicloud.com/api-maas/ShowStatistics.html. Token figures are in thousands, with a fraction.
The published example's total is not the sum of prompt and completion, so all three are kept, the total as a quantity.
An answer names no model. Times are Unix milliseconds; statistics are kept for 30 days; days are Beijing's. The id of a
project is `vendor_account`. There are no amounts.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from producers.bills.reading import Page, PageReading, count, needed_amount
from producers.bills.registry import BEIJING_MINUTES, Report, register
from producers.bills.request import Account, Request, Window
from producers.bills.signing.huawei import huawei_signature
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line
from tokenweir.bills.snapshot import day_start
from tokenweir.errors import WrongCall

_DEFAULT_REGION: Final = "cn-southwest-2"
_SERVICES: Final = {1: "own services", 2: "preset services", 4: "custom endpoints"}
_KINDS: Final = ("real_time", "batch")
_THOUSAND: Final = Decimal(1000)


def first_request(account: Account, window: Window) -> Request:
    """The first day, kind of service and kind of inference. Raises WrongCall without a project's id."""
    if not account.vendor_account:
        raise WrongCall(
            f"the bills of {account.name} need the id of a Huawei project",
            hint="Set vendor_account in the settings",
        )
    return _request(account, window, next(_questions(window)))


def _questions(window: Window) -> Iterator[tuple[date, int, str]]:
    for day in window.days():
        for service in _SERVICES:
            for kind in _KINDS:
                yield day, service, kind


def _request(account: Account, window: Window, question: tuple[date, int, str]) -> Request:
    day, service, kind = question
    start = day_start(day, window.utc_offset_minutes)
    host = f"https://modelarts.{account.region or _DEFAULT_REGION}.myhuaweicloud.com"
    body = {
        "service_type": service,
        "start_time": _milliseconds(start),
        "end_time": _milliseconds(start + timedelta(days=1)) - 1,
        "timezone": "Asia/Shanghai",
        "infer_type": kind,
    }
    return Request(
        method="POST",
        url=f"{account.at(host)}/v1/{account.vendor_account}/maas/monitoring/show-statistics",
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(body).encode(),
        tag=f"{day.isoformat()}/{service}/{kind}",
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def read_page(page: Page) -> PageReading:
    """One sum, and the request for the next."""
    reading = PageReading()
    _, _, asked = page.request.tag.partition("/")
    service, _, kind = asked.partition("/")
    start = day_start(page.day, page.window.utc_offset_minutes)
    name = f"{_SERVICES[int(service)]}, {kind}" if service else "all services"
    reading.add(page.answer, page.day, partial(_line, start, name))
    if service:
        questions = list(_questions(page.window))
        following = questions.index((page.day, int(service), kind)) + 1
        if following < len(questions):
            reading.next = _request(page.account, page.window, questions[following])
    return reading


def _line(start: datetime, line_item: str, row: Answer) -> BillLine | None:
    counts = {
        "input_tokens": _tokens(row, "total_prompt_token"),
        "output_tokens": _tokens(row, "total_completion_token"),
        "requests": count(row, "total_request_count"),
    }
    total = _tokens(row, "total_token")
    if not any(counts.values()) and not total:
        return None
    return bill_line(
        period_start=start,
        period_end=start + timedelta(days=1),
        line_item=line_item,
        quantity=Decimal(total),
        unit="tokens",
        currency="CNY",
        **counts,
    )


def _tokens(row: Answer, path: str) -> int:
    tokens = needed_amount(row, path) * _THOUSAND
    if tokens < 0:
        raise row.refusal("out_of_range", path, "is negative")
    return round(tokens)


register(
    Report(
        vendor="huawei",
        name="show_statistics",
        first=first_request,
        read=read_page,
        sign=huawei_signature,
        utc_offset_minutes=BEIJING_MINUTES,
        most_days=30,
    )
)
