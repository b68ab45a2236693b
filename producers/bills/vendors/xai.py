"""xAI's management usage: dollars by day, for a management key and a team's id (`vendor_account`).

Source: https://docs.x.ai/developers/rest-api-reference/management/billing. Which names `groupBy` takes could not be
verified: without `resources` in the settings the answer is one sum a day; with it these are the names to group by.
An answer that says that it was cut (`limitReached`) is refused: part of a day is not the day.
"""

import json
from datetime import timedelta
from functools import partial
from typing import Any, Final

from producers.bills.reading import Page, PageReading, array, day_or, needed_amount, needed_day
from producers.bills.registry import Report, register
from producers.bills.request import Account, Request, Window
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line
from tokenweir.errors import WrongCall

_HOST: Final = "https://management-api.x.ai"


def first_request(account: Account, window: Window) -> Request:
    """The whole window. Raises WrongCall without a team's id."""
    if not account.vendor_account:
        raise WrongCall(
            f"the bills of {account.name} need the id of an xAI team",
            hint="Set vendor_account in the settings",
        )
    body = {
        "analyticsRequest": {
            "timeRange": {
                "startTime": window.start_at.strftime("%Y-%m-%d %H:%M:%S"),
                "endTime": window.end_at.strftime("%Y-%m-%d %H:%M:%S"),
                "timezone": "Etc/GMT",
            },
            "timeUnit": "TIME_UNIT_DAY",
            "values": [{"name": "usd", "aggregation": "AGGREGATION_SUM"}],
            "groupBy": list(account.resources),
            "filters": [],
        }
    }
    return Request(
        method="POST",
        url=f"{account.at(_HOST)}/v1/billing/teams/{account.vendor_account}/usage",
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(body).encode(),
    )


def read_page(page: Page) -> PageReading:
    """All series with their points."""
    if page.answer.find("limitReached") is True:
        raise page.answer.refusal(
            "out_of_range",
            "limitReached",
            "is true: the answer is cut",
            hint="Ask for fewer days, or group by less",
        )
    reading = PageReading()
    for series in reading.rows(page.answer, "timeSeries", page.window.start):
        names = _group(page.account, series)
        for point in reading.rows(series, "dataPoints", page.window.start):
            day = day_or(point, "timestamp", page.window.start)
            reading.add(point, day, partial(_line, names))
    return reading


def _group(account: Account, series: Answer) -> dict[str, str]:
    """What a series is of, by the names that were asked for in order."""
    values: Any = series.find("group") or series.find("groupLabels") or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise series.refusal("wrong_type", "group", "is not an array of names")
    named = dict(zip(account.resources, values, strict=False))
    found = {"line_item": ", ".join(values)}
    for field, words in (
        ("model", ("model", "model_name")),
        ("api_key", ("api_key", "apiKey", "api_key_id")),
    ):
        for word in words:
            if word in named:
                found[field] = account.label(named[word]) if field == "api_key" else named[word]
    return found


def _line(names: dict[str, str], point: Answer) -> BillLine:
    start = needed_day(point, "timestamp", 0)
    values = array(point, "values")
    if not values:
        raise point.refusal("missing_field", "values", "is empty")
    amount = Answer({"usd": values[0]}, f"{point.at}.values")
    return bill_line(
        period_start=start,
        period_end=start + timedelta(days=1),
        amount=needed_amount(amount, "usd"),
        **names,
    )


register(Report(vendor="xai", name="usage", first=first_request, read=read_page))
