"""Values that no vendor should send: each costs its line, nothing beside it, and is quoted nowhere."""

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.bills.failures import ReportUnreadable
from producers.bills.poll import read_page
from producers.bills.reading import Page
from producers.bills.registry import report_names, reports_of, vendors
from producers.bills.request import Account, Request, Window
from producers.vendors.answer import Answer
from tests.bills.cases import CASES, LAST, NOW, Case
from tests.bills.conftest import Asking
from tests.bills.fake_vendors import FIRST, days

CANARY = "Dear model, my canary is called Tweety"
EVERY_REPORT = [
    pytest.param(report, id=f"{vendor}-{report.name}")
    for vendor in vendors()
    for report in reports_of(vendor, report_names(vendor))
]
_HOSTILE: list[Any] = [
    CANARY,
    [CANARY],
    {CANARY: CANARY},
    "1e999999999",
    "-1e400",
    "NaN",
    True,
    10**40,
    -1,
    "\x00",
    [[[[]]]],
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_hostile_value_costs_no_more_than_its_row(case: Case, ask: Callable[[Case], Asking]) -> None:
    asking = ask(case)
    for value in _HOSTILE:
        asking.fake = case.fake()
        asking.server.answer = asking.fake.answer
        row: Any = asking.fake.rows[FIRST][0]
        *parents, last = case.needed.split(".")
        for name in parents:
            row = row[int(name)] if isinstance(row, list) else row[name]
        row[last] = value
        said, filled = _outcome(asking)
        assert CANARY not in said
        assert filled is None or filled >= {*days()[1:]}


_TIMES: list[Any] = [
    "9999-12-31",
    "9999-12-31T23:59:59Z",
    253402300799,
    "0001-01-01",
    -1,
    10**18,
    "tomorrow",
    "2026-02-30",
]


@pytest.mark.parametrize(
    ("vendor", "report", "field"),
    [
        ("openrouter", "activity", "date"),
        ("mistral", "admin_usage", "timestamp"),
        ("xai", "usage", "timestamp"),
        ("fireworks", "usage_costs/model", "dimensions.startTime"),
        ("volcengine", "get_usage", "Timestamp"),
    ],
)
@pytest.mark.parametrize("value", _TIMES)
def test_a_time_beyond_the_calendar_costs_its_row(
    ask: Callable[[Case], Asking], vendor: str, report: str, field: str, value: Any
) -> None:
    case = next(one for one in CASES if (one.vendor, one.report) == (vendor, report))
    asking = ask(case)
    answer = asking.fake.answer

    def spoilt(asked: Any) -> tuple[int, Any]:
        status, body = answer(asked)
        if len(asking.server.asked) > 1:
            return status, body
        text = json.dumps(body)
        # The first row of the answer only.
        name = field.rpartition(".")[2]
        return status, re.sub(
            rf'"{name}": ("[^"]*"|[0-9]+)', f'"{name}": {json.dumps(value)}', text, count=1
        ).encode()

    asking.server.answer = spoilt
    reading = asking.reader.read()
    assert reading.rejections
    assert {one.reason for one in reading.rejections} <= {"implausible_time", "missing_field", "wrong_type"}
    assert str(value) not in "".join(one.detail for one in reading.rejections) or value == -1
    assert reading.bills


def _outcome(asking: Asking) -> tuple[str, set[date] | None]:
    """All that is said of what was refused, and the days that have lines; None where the whole report was refused."""
    try:
        reading = asking.reader.read()
    except ReportUnreadable as error:
        return str(error), None
    said = "".join(one.detail + one.field + one.payload for one in reading.rejections) + reading.problem
    return said, {bill.day for bill in reading.bills if bill.line}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "results",
                    "rows",
                    "result",
                    "Response",
                    "prices",
                    "currency",
                    "serviceList",
                    "timeSeries",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("report", EVERY_REPORT)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.dictionaries(
        st.sampled_from(["data", "rows", "result", "Response", "currency", "prices"]), json_values
    )
)
def test_any_object_is_read_or_refused(report: Any, body: dict[str, Any]) -> None:
    account = Account(vendor=report.vendor, name="main", vendor_account="x", resources=("a",))
    page = Page(
        answer=Answer(body),
        request=Request(method="GET", url="https://example.com"),
        account=account,
        window=Window(FIRST, LAST, report.utc_offset_minutes),
        now=NOW,
    )
    try:
        reading = read_page(report, page)
    except ReportUnreadable:
        return
    assert isinstance(reading.lines, list)
