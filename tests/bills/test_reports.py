"""Every vendor's reports, read from a server that behaves as documented, and misbehaves as servers do."""

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from producers.bills.failures import ReportRefused, ReportUnavailable, ReportUnreadable
from producers.bills.poll import window_to_poll
from producers.bills.registry import report_names, reports_of, vendors
from producers.bills.request import Credentials
from tests.bills.cases import CASES, NOW, Case, by_day, matching, spoil
from tests.bills.conftest import Asking
from tests.bills.fake_vendors import DAYS, FIRST, KEY, days
from tests.bills.vendor_server import Fault

Ask = Callable[[Case], Asking]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def test_every_vendor_that_can_be_polled_has_a_case() -> None:
    assert {case.vendor for case in CASES} == {*vendors()} - {"google"}


@each_case
def test_all_pages_of_a_report_become_whole_days(case: Case, ask: Ask) -> None:
    asking = ask(case)
    reading = asking.reader.read()
    assert len(asking.server.asked) == case.requests
    assert reading.rejections == []
    found = by_day(reading.bills)
    assert list(found) == days()
    for day, bills in found.items():
        assert [bill.line for bill in bills] == list(range(1, case.lines_a_day + 1)), day
        assert {bill.lines for bill in bills} == {case.lines_a_day}
        assert len({bill.snapshot for bill in bills}) == 1
        assert {bill.report for bill in bills} == {case.report}
        for bill in bills:
            start = bill.period_start + timedelta(minutes=case.offset)
            assert start.date() == day
            assert bill.recorded_at == NOW
            assert bill.is_final or case.vendor == "aws"
    assert matching(found[FIRST], case.first_day), [
        bill.model_dump(exclude_defaults=True) for bill in found[FIRST]
    ]


@each_case
def test_a_vendor_that_is_asked_too_often_or_fails_is_asked_again(case: Case, ask: Ask) -> None:
    undisturbed = ask(case).reader.read()
    asking = ask(case)
    asking.server.faults.extend(
        [
            Fault(429, {"retry-after": "7"}),
            None,
            Fault(503, {"retry-after": "Tue, 10 Nov 2026 12:00:30 GMT"}),
            Fault(500),
            Fault(502),
        ]
    )
    assert asking.reader.read().bills == undisturbed.bills
    assert asking.pauses[0] == 7.0
    if case.requests > 1:
        assert asking.pauses[1] == 30.0
        assert all(0 < pause < 5 for pause in asking.pauses[2:])
        assert len(asking.pauses) == 4


@each_case
def test_half_a_report_is_no_report(case: Case, ask: Ask) -> None:
    asking = ask(case)
    asking.server.faults.extend([None] * (case.requests - 1) + [Fault(500)] * 20)
    with pytest.raises(ReportUnavailable, match="answered 500, after 6 attempts"):
        asking.reader.read()


@each_case
def test_a_changed_past_day_changes_that_day_alone(case: Case, ask: Ask) -> None:
    asking = ask(case)
    before = by_day(asking.reader.read().bills)
    later = NOW + timedelta(days=1)
    again = by_day(asking.reader.read(now=later).bills)
    third = days()[2]
    rows = asking.fake.rows
    rows[third] = copy.deepcopy(rows[days()[4]])
    rows[days()[3]] = []
    restated = by_day(asking.reader.read(now=later).bills)
    for day in days():
        names = [one[day][0].snapshot for one in (before, again, restated)]
        assert names[0] == names[1]
        assert (names[2] != names[0]) == (day in (third, days()[3]))
    (vanished,) = restated[days()[3]]
    assert (vanished.line, vanished.lines) == (0, 0)


@each_case
def test_a_missing_field_costs_its_line(case: Case, ask: Ask) -> None:
    asking = ask(case)
    whole = by_day(asking.reader.read().bills)
    # A Tencent series is all days of one model, in which a day without a figure is none.
    for day in days() if case.vendor == "tencent" else [FIRST]:
        spoil(asking.fake.rows[day][0], case.needed)
    reading = asking.reader.read()
    assert reading.problem == ""
    assert reading.rejections
    for rejection in reading.rejections:
        assert rejection.stage == "collector"
        assert rejection.reason == "missing_field"
        assert case.needed.split(".")[0] in rejection.field or case.vendor in ("tencent", "fireworks"), (
            rejection
        )
        assert case.report in rejection.detail
        assert rejection.id.startswith(f"bills/{case.vendor}/main/{case.report}/")
    assert len({rejection.id for rejection in reading.rejections}) == len(reading.rejections)
    found = by_day(reading.bills)
    assert sum(1 for bill in found[FIRST] if bill.line) < case.lines_a_day or case.vendor in (
        "tencent",
        "volcengine",
    )
    for day in days()[1:]:
        if case.vendor != "tencent":
            assert found[day][0].snapshot == whole[day][0].snapshot
    assert sum(bills[0].refused_lines for bills in found.values()) == len(reading.rejections)


@each_case
def test_a_report_without_its_rows_changes_nothing(case: Case, ask: Ask) -> None:
    """An answer without the array of rows is not an empty one."""
    asking = ask(case)
    for body in (
        b"{}",
        b'{"data": null, "result": {}, "Response": {}, "Result": {}}',
        b"[]",
        b"null",
        b"not json",
    ):
        asking.server.faults.append(Fault(200, body=body))
        if case.vendor == "huawei" and body.startswith(b"{"):
            assert asking.reader.read(end=days()[1]).rejections
        else:
            with pytest.raises(ReportUnreadable):
                asking.reader.read()
        asking.server.faults.clear()


@each_case
def test_a_wrong_key_is_said_without_the_key(case: Case, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    asking = ask(case)
    asking.server.faults.append(Fault(401, body=b'{"error": "Incorrect key: ' + KEY.encode() + b'"}'))
    with pytest.raises(ReportRefused, match="refused with status 401") as refused:
        asking.reader.read()
    said = str(refused.value) + repr(refused.value.__cause__) + caplog.text + repr(asking.reader.account)
    assert KEY not in said
    assert "admin or management key" in str(refused.value)


@each_case
def test_days_begin_where_the_vendor_counts_them_whatever_the_clock_of_this_machine(
    case: Case, ask: Ask
) -> None:
    """20:00 UTC on the 5th is the 6th in Beijing; a clock in another zone tells the same moment."""
    asking = ask(case)
    report = reports_of(case.vendor, [case.report])[0]
    evening = datetime(2026, 11, 5, 20, tzinfo=UTC)
    windows = {
        window_to_poll(report, evening.astimezone(timezone(timedelta(hours=hours))))
        for hours in (-9, 0, 5.5, 8)
    }
    (window,) = windows
    today = date(2026, 11, 6) if case.offset else date(2026, 11, 5)
    assert window.end == today + timedelta(days=1 if report.today else 0)
    assert window.start == today - timedelta(days=report.settle_days)
    local = asking.reader.read(now=NOW.astimezone(timezone(timedelta(hours=-9))))
    assert [bill.model_dump() for bill in local.bills] == [
        bill.model_dump() for bill in asking.reader.read().bills
    ]


@each_case
def test_a_day_is_final_when_its_lag_is_over(case: Case, ask: Ask) -> None:
    asking = ask(case)
    report = asking.reader.report
    fourth = days()[3]
    end = datetime(2026, 11, 5, tzinfo=UTC) - timedelta(minutes=case.offset)
    settled = end + timedelta(days=report.final_after_days)
    early = by_day(asking.reader.read(now=settled - timedelta(seconds=1)).bills)[fourth]
    late = by_day(asking.reader.read(now=settled).bills)[fourth]
    assert not any(bill.is_final for bill in early)
    assert all(bill.is_final for bill in late)
    assert early[0].snapshot == late[0].snapshot


def test_only_days_that_the_vendor_has_finished_are_taken_for_empty(ask: Ask) -> None:
    case = next(one for one in CASES if one.vendor == "together")
    asking = ask(case)
    asking.fake.latest = "2026-11-03T00:00:00Z"  # type: ignore[attr-defined]
    assert list(by_day(asking.reader.read().bills)) == days()[:2]


def test_an_answer_that_is_cut_is_refused(ask: Ask) -> None:
    asking = ask(next(one for one in CASES if one.vendor == "xai"))
    asking.server.faults.append(Fault(200, body=b'{"timeSeries": [], "limitReached": true}'))
    with pytest.raises(ReportUnreadable, match="the answer is cut"):
        asking.reader.read()


def test_pages_that_go_round_in_circles_come_to_an_end(ask: Ask) -> None:
    asking = ask(CASES[0])
    page = b'{"data": [], "has_more": true, "next_page": "page_2"}'
    asking.server.faults.extend([Fault(200, body=page)] * 5)
    with pytest.raises(ReportUnreadable, match="do not come to an end"):
        asking.reader.read()
    assert len(asking.server.asked) == 2


def test_more_lines_than_can_be_held_are_refused(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producers.bills.poll.MAX_LINES", 3)
    with pytest.raises(ReportUnreadable, match="more than 3 lines"):
        ask(CASES[0]).reader.read()


def test_a_page_that_promises_more_and_does_not_say_where_is_refused(ask: Ask) -> None:
    asking = ask(CASES[0])
    asking.server.faults.append(Fault(200, body=b'{"data": [], "has_more": true}'))
    with pytest.raises(ReportUnreadable, match="next_page is missing"):
        asking.reader.read()


def test_where_no_line_can_be_read_the_days_stay_as_they_were(ask: Ask) -> None:
    asking = ask(CASES[1])
    for rows in asking.fake.rows.values():
        for row in rows:
            row["amount"] = {"value": "a lot", "currency": "usd"}
    reading = asking.reader.read()
    assert reading.bills == []
    assert len(reading.rejections) == 2 * DAYS
    assert "left as it was" in reading.problem
    assert "a lot" not in reading.problem + "".join(one.detail + one.payload for one in reading.rejections)


def test_details_count_what_is_counted_already() -> None:
    for vendor in vendors():
        assert any(report.always for report in reports_of(vendor, report_names(vendor))) or vendor == "google"


def test_no_secret_shows_in_what_is_printed() -> None:
    assert KEY not in repr(Credentials(key=KEY, key_id=KEY, session_token=KEY))
