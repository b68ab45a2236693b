"""Alibaba Cloud Model Studio's billing trend: amounts by day, no tokens.

Source: https://help.aliyun.com/zh/model-studio/api-modelstudio-2026-02-10-getbillingtrend, and
alibabacloud-modelstudio20260210 2.2.3 for names. A call groups by exactly one thing, so by model it is the bill, and by
key and by workspace it is the same money again: details. Of each group the top 20 are named, the rest is one line.

That days are Beijing's is taken from the console and could not be verified. Amounts include tax.
"""

import json
from datetime import timedelta
from functools import partial
from typing import Final

from producers.bills.reading import (
    Page,
    PageReading,
    currency,
    day_or,
    need_success,
    needed_amount,
    needed_day,
    needed_text,
)
from producers.bills.registry import BEIJING_MINUTES, Report, register
from producers.bills.request import Account, Request, Window
from producers.bills.signing.alibaba import alibaba_signature
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line

_DEFAULT_REGION: Final = "cn-beijing"
_OTHERS: Final = "DIMENSION_GROUP_OTHERS_VALUE"


def first_request(code: str, account: Account, window: Window) -> Request:
    """The whole window, grouped by `code`."""
    region = account.region or _DEFAULT_REGION
    period = {"start": window.start.isoformat(), "end": (window.end - timedelta(days=1)).isoformat()}
    return Request(
        method="GET",
        url=f"{account.at(f'https://modelstudio.{region}.aliyuncs.com')}/modelstudio/billing/trend",
        query=(
            ("granularity", "DAY"),
            ("groupBy", json.dumps([{"code": code}], separators=(",", ":"))),
            ("timePeriod", json.dumps(period, separators=(",", ":"))),
            ("topNum", "20"),
            ("zeroFilter", "true"),
        ),
        headers=(("x-acs-action", "GetBillingTrend"), ("x-acs-version", "2026-02-10")),
    )


def read_page(field: str, page: Page) -> PageReading:
    """All days, each with the groups that were charged for."""
    need_success(page.answer)
    reading = PageReading()
    data = page.answer.part("data")
    usual = data.text("costTotals.currency").upper()
    for period in reading.rows(data, "resultByTime", page.window.start):
        code = currency(period, "total.currency", usual)
        day = day_or(period, "period", page.window.start, page.window.utc_offset_minutes)
        for row in reading.rows(period, "periodDetails", day):
            reading.add(row, day, partial(_line, page, field, code, period))
    return reading


def _line(page: Page, field: str, code: str, period: Answer, row: Answer) -> BillLine:
    start = needed_day(period, "period", page.window.utc_offset_minutes)
    key = needed_text(row, "key")
    name = "" if key == _OTHERS else key
    return bill_line(
        period_start=start,
        period_end=start + timedelta(days=1),
        line_item="all others" if key == _OTHERS else row.text("name", "key"),
        amount=needed_amount(row, "amount"),
        currency=code,
        is_detail=field != "model",
        **{field: name if field == "model" else page.account.label(name)},
    )


for _name, _code, _field in (
    ("billing_trend/model", "BASE_MODEL", "model"),
    ("billing_trend/api_key", "API_KEY_ID", "api_key"),
    ("billing_trend/workspace", "WORKSPACE_ID", "project"),
):
    register(
        Report(
            vendor="alibaba",
            name=_name,
            first=partial(first_request, _code),
            read=partial(read_page, _field),
            sign=alibaba_signature,
            utc_offset_minutes=BEIJING_MINUTES,
        )
    )
