"""Tencent TokenHub's usage by model and by key, and the calls of a token plan as details.

Source: tencentcloud-sdk-python-tokenhub 3.1.177, `v20260322/models.py`. Series are JSON arrays inside strings, with
nulls; `CacheTotalToken` is part of `InputTotalToken`. Ten objects a page. Amounts are in the cloud bill, which is not
read here. Days are Beijing's. The calls of a plan are asked for key by key (`resources`), in the plan whose id is
`vendor_account`; its quotas are credits, no money.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any, Final

from producers.bills.reading import Page, PageReading, array, count, needed_count, needed_moment, needed_text
from producers.bills.registry import BEIJING_MINUTES, Report, register
from producers.bills.request import Account, Request, Window
from producers.bills.signing.tencent import tencent_signature
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line
from tokenweir.errors import RejectedInput, WrongCall

_HOST: Final = "https://tokenhub.tencentcloudapi.com"
_PAGE: Final = 10
_MOST_POINTS: Final = 10_000
_SERIES: Final = {
    "InputTotalToken": "input_tokens",
    "CacheTotalToken": "cache_read_tokens",
    "OutputTotalToken": "output_tokens",
}


def _request(action: str, account: Account, body: dict[str, Any], tag: str = "") -> Request:
    return Request(
        method="POST",
        url=f"{account.at(_HOST)}/",
        headers=(
            ("Content-Type", "application/json"),
            ("X-TC-Action", action),
            ("X-TC-Version", "2026-03-22"),
            *((("X-TC-Region", account.region),) if account.region else ()),
        ),
        body=json.dumps(body).encode(),
        tag=tag,
    )


def first_usage_request(dimension: str, account: Account, window: Window) -> Request:
    """The first ten objects, by day."""
    return _usage_request(dimension, account, window, 0)


def _usage_request(dimension: str, account: Account, window: Window, offset: int) -> Request:
    body = {
        "Dimension": dimension,
        "MetricType": "tokens",
        "StartTime": _local(window.start_at, window),
        "EndTime": _local(window.end_at, window),
        "Period": 86400,
        "Offset": offset,
        "ShowAll": False,
    }
    return _request("DescribeUsageRankList", account, body, tag=str(offset))


def _local(moment: datetime, window: Window) -> str:
    return moment.astimezone(timezone(timedelta(minutes=window.utc_offset_minutes))).isoformat()


def read_usage(dimension: str, page: Page) -> PageReading:
    """Ten objects with a series each; then the next ten."""
    response = _response(page.answer)
    reading = PageReading()
    moments = [Answer({"at": value}, "Response.Timestamps") for value in array(response, "Timestamps")]
    starts = [needed_moment(moment, "at") for moment in moments]
    rows = 0
    for row in reading.rows(response, "TopList", page.window.start):
        rows += 1
        reading.add(row, page.window.start, partial(_usage_lines, dimension, page.account, starts))
    offset = int(page.request.tag or 0) + _PAGE
    if rows and offset < (count(response, "Total") or 0):
        reading.next = _usage_request(dimension, page.account, page.window, offset)
    return reading


def _usage_lines(dimension: str, account: Account, starts: list[datetime], row: Answer) -> list[BillLine]:
    key = needed_text(row, "Key", "Name")
    series = {field: _series(row, name, len(starts)) for name, field in _SERIES.items()}
    name = {"model": key} if dimension == "model" else {"api_key": account.label(key)}
    lines = []
    for position, start in enumerate(starts):
        counts = {field: values[position] for field, values in series.items()}
        if any(counts.values()):
            lines.append(
                bill_line(
                    period_start=start,
                    period_end=start + timedelta(days=1),
                    line_item="tokens",
                    currency="CNY",
                    is_detail=dimension != "model",
                    **name,
                    **counts,
                )
            )
    return lines


def _series(row: Answer, name: str, length: int) -> list[int]:
    path = f"Series.{name}"
    try:
        values = json.loads(needed_text(row, path))
    except (ValueError, RecursionError):
        raise row.refusal("invalid_json", path, "is not an array in a string") from None
    if not isinstance(values, list) or len(values) != length or length > _MOST_POINTS:
        raise row.refusal("wrong_type", path, "has another length than Timestamps")
    return [count(Answer({"value": value}, f"{row.at}.{path}"), "value") or 0 for value in values]


def first_plan_request(account: Account, window: Window) -> Request:
    """The calls of the first key. Raises WrongCall without a plan and keys."""
    if not account.vendor_account or not account.resources:
        raise WrongCall(
            f"the report token_plan of {account.name} needs a plan and keys",
            hint="Set vendor_account to the plan's id and resources to ids of API keys in the settings",
        )
    return _plan_request(account, window, 0, "")


def _plan_request(account: Account, window: Window, number: int, context: str) -> Request:
    body = {
        "TeamId": account.vendor_account,
        "From": _local(window.start_at, window),
        "To": _local(window.end_at, window),
        "Sort": "asc",
        "Limit": 100,
        "ApiKeyId": account.resources[number],
        **({"Context": context} if context else {}),
    }
    return _request("DescribeTokenPlanApiKeyUsageDetail", account, body, tag=str(number))


def read_plan(page: Page) -> PageReading:
    """A hundred calls; then more of the same key, or the next key."""
    response = _response(page.answer)
    reading = PageReading()
    for row in reading.rows(response, "List", page.window.start):
        reading.add(row, page.window.start, partial(_call, page.account))
    number = int(page.request.tag or 0)
    if response.find("ListOver") is False:
        context = needed_text(response, "Context")
        reading.next = _plan_request(page.account, page.window, number, context)
    elif number + 1 < len(page.account.resources):
        reading.next = _plan_request(page.account, page.window, number + 1, "")
    return reading


def _call(account: Account, row: Answer) -> BillLine:
    at = needed_moment(row, "RequestTime").astimezone(UTC)
    return bill_line(
        period_start=at,
        period_end=at + timedelta(seconds=1),
        line_item=f"call {row.text('RequestId')}",
        model=needed_text(row, "ModelName"),
        api_key=account.label(row.text("ApiKeyId", "ApiKeyName")),
        requests=1,
        input_tokens=needed_count(row, "InputToken"),
        cache_read_tokens=count(row, "CacheToken"),
        output_tokens=needed_count(row, "OutputToken"),
        currency="CNY",
        is_detail=True,
    )


def _response(answer: Answer) -> Answer:
    response = answer.part("Response")
    if response.has_any("Error"):
        raise RejectedInput(
            "missing_field", "Response.Error: the vendor answers with an error", field="Response"
        )
    return response


def _register(
    name: str, first: Callable[..., Request], read: Callable[[Page], PageReading], always: bool
) -> None:
    register(
        Report(
            vendor="tencent",
            name=name,
            first=first,
            read=read,
            sign=tencent_signature("tokenhub"),
            utc_offset_minutes=BEIJING_MINUTES,
            most_days=90,
            always=always,
        )
    )


for _dimension in ("model", "apikey"):
    _register(
        f"usage_rank/{_dimension}",
        partial(first_usage_request, _dimension),
        partial(read_usage, _dimension),
        always=True,
    )
_register("token_plan", first_plan_request, read_plan, always=False)
