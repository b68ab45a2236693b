"""Baidu Qianfan's DescribeServiceStats: usage by service and application.

Source: https://cloud.baidu.com/doc/qianfan-api/s/8mm34cmuu. The documentation at hand breaks off before the names of
the token metrics, so several spellings are taken, and an application with none of them is refused with a reason rather
than read as zero. The interface answers within about five seconds or fails, so one day is asked for at a time; times
are UTC, to the minute, of Beijing's days. There are no amounts.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from producers.bills.reading import Page, PageReading, amount, array, needed_text
from producers.bills.registry import BEIJING_MINUTES, Report, register
from producers.bills.request import Account, Request, Window
from producers.bills.signing.baidu import baidu_signature
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line
from tokenweir.bills.snapshot import day_start
from tokenweir.errors import RejectedInput

_HOST: Final = "https://qianfan.baidubce.com"
_NAMES: Final = {
    "input_tokens": ("inputTokens", "promptTokens", "inputToken", "promptToken"),
    "output_tokens": ("outputTokens", "completionTokens", "outputToken", "completionToken"),
    "requests": ("requestCount", "callCount", "count", "totalCount", "callTotal"),
}
_VALUES: Final = ("value", "count", "sum")


def first_request(account: Account, window: Window) -> Request:
    """The window's first day; the others follow one by one."""
    body: dict[str, Any] = {
        "startTime": window.start_at.strftime("%Y-%m-%dT%H:%M:00Z"),
        "endTime": (window.start_at + timedelta(days=1, minutes=-1)).strftime("%Y-%m-%dT%H:%M:00Z"),
        "interval": 86400,
        "protocolVersion": 2,
    }
    if account.resources:
        body["serviceId"] = list(account.resources)
    return Request(
        method="POST",
        url=f"{account.at(_HOST)}/v2/service",
        query=(("Action", "DescribeServiceStats"),),
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(body).encode(),
        tag=window.start.isoformat(),
    )


def read_page(page: Page) -> PageReading:
    """One day's services and applications, and the request for the next day."""
    reading = PageReading()
    day = page.day
    for service in reading.rows(page.answer.part("result"), "serviceList", day):
        for application in reading.rows(service, "appList", day):
            reading.add(application, day, partial(_line, page, day, service))
    following = day + timedelta(days=1)
    if following < page.window.end:
        reading.next = first_request(
            page.account, Window(following, page.window.end, page.window.utc_offset_minutes)
        )
    return reading


def _line(page: Page, day: date, service: Answer, application: Answer) -> BillLine | None:
    counts = _counts(application)
    if not any(counts.values()):
        return None
    start = day_start(day, page.window.utc_offset_minutes).astimezone(UTC)
    service_id = needed_text(service, "serviceId", "serviceName")
    return bill_line(
        period_start=start,
        period_end=start + timedelta(days=1),
        line_item=service.text("serviceName", "serviceId"),
        model=page.account.label(service_id)
        if service_id in page.account.labels
        else service.text("serviceName"),
        api_key=page.account.label(application.text("appId")),
        currency="CNY",
        **counts,
    )


def _counts(application: Answer) -> dict[str, int]:
    """The metrics, under whichever of their spellings; a value is a number, or an array of points to be summed."""
    found: dict[str, int] = {}
    metrics = [one for one in array(application, "metrics") if isinstance(one, Mapping)]
    for field, names in _NAMES.items():
        values = [metric[name] for metric in metrics for name in names if metric.get(name) is not None]
        if values:
            found[field] = sum(_total(application, name=names[0], value=value) for value in values)
    if "input_tokens" not in found and "output_tokens" not in found and metrics:
        raise application.refusal(
            "missing_field",
            "metrics",
            "names no count of tokens that is known",
            hint="Please report the names that your account sees",
        )
    return found


def _total(application: Answer, *, name: str, value: Any) -> int:
    points = value if isinstance(value, list) else [value]
    total = Decimal(0)
    for point in points:
        holder = Answer(
            point if isinstance(point, Mapping) else {"value": point}, f"{application.at}.metrics.{name}"
        )
        number = amount(holder, *_VALUES)
        if number is not None:
            total += number
    if total != int(total) or total < 0:
        raise RejectedInput("out_of_range", f"metrics.{name} is no count", field="metrics")
    return int(total)


register(
    Report(
        vendor="baidu",
        name="service_stats",
        first=first_request,
        read=read_page,
        sign=baidu_signature,
        utc_offset_minutes=BEIJING_MINUTES,
    )
)
