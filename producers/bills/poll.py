"""A report, read for some days: all its pages, made into snapshots of whole days.

Nothing is given out before the last page of a window has been read: half a report would make the other half vanish.
A row that cannot be read is given out as a rejection, and counted in its day's snapshot. Where no row at all can be
read, something else is wrong than the rows: then the days keep what was known of them, and the reading says so.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from producers.bills.failures import ReportUnreadable
from producers.bills.reading import Page, PageReading, Refusal
from producers.bills.registry import Report
from producers.bills.request import Account, Request, Window
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, VendorBill, day_of
from tokenweir.bills.snapshot import Scope, snapshot_of
from tokenweir.errors import RejectedInput
from tokenweir.money import PICOS_PER_UNIT, decimal_from_picos, divide_half_even, picos_from_decimal
from tokenweir.pricing.exchange import ExchangeRates
from tokenweir.usage.redaction import redact
from tokenweir.usage.rejection import Rejection

MAX_PAGES: Final = 20_000
MAX_LINES: Final = 1_000_000
"""Of one stretch of days, which is held in memory until its last page is read."""
_MOST_REFUSALS: Final = 1_000

Fetch = Callable[[Request], dict[str, Any]]
"""Gives the decoded answer to a request. Raises what `producers.bills.failures` names."""


@dataclass(slots=True)
class ReportReading:
    """What a report says of some days. problem: why the days are left as they were; empty where they are not."""

    report: str
    days: int = 0
    bills: list[VendorBill] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    problem: str = ""


def window_to_poll(
    report: Report, now: datetime, since: date | None = None, until: date | None = None
) -> Window:
    """The days to ask for: those given, else the days that the vendor may still restate and today.

    now: UTC. until: the first day no longer wanted. Never reaches beyond what can be asked for by now.
    """
    today = day_of(now, report.utc_offset_minutes)
    if report.only_now:
        return Window(today, today + timedelta(days=1), report.utc_offset_minutes)
    last = today + timedelta(days=1) if report.today else today
    end = min(until, last) if until is not None else last
    start = since if since is not None else today - timedelta(days=report.settle_days)
    return Window(min(start, end), end, report.utc_offset_minutes)


def read_report(
    report: Report, account: Account, window: Window, fetch: Fetch, *, now: datetime, rates: ExchangeRates
) -> Iterator[ReportReading]:
    """The report's days, a stretch at a time. Raises what `fetch` raises, ReportUnreadable, and WrongCall."""
    for stretch in window.chunks(report.most_days):
        gathered = PageReading()
        request: Request | None = report.first(account, stretch)
        seen: set[Request] = set()
        while request is not None:
            if request in seen or len(seen) >= MAX_PAGES:
                raise ReportUnreadable(
                    f"{_name(report, account)}: the pages do not come to an end", hint="Ask for fewer days"
                )
            seen.add(request)
            page = Page(
                answer=Answer(fetch(request)), request=request, account=account, window=stretch, now=now
            )
            reading = read_page(report, page)
            gathered.lines += reading.lines
            gathered.refusals += reading.refusals
            if len(gathered.lines) + len(gathered.refusals) > MAX_LINES:
                raise ReportUnreadable(
                    f"{_name(report, account)}: more than {MAX_LINES} lines from {stretch.start} to {stretch.end}",
                    hint="Ask for fewer days",
                )
            if reading.covered_until is not None:
                gathered.covered_until = reading.covered_until
            request = reading.next
        days = [
            day
            for day in stretch.days()
            if gathered.covered_until is None or _scope(report, account, day).end <= gathered.covered_until
        ]
        yield snapshots(report, account, gathered, days, now=now, rates=rates)


def read_page(report: Report, page: Page) -> PageReading:
    """One page. Raises ReportUnreadable where it is not of the report's shape at all."""
    try:
        return report.read(page)
    except RejectedInput as error:
        raise ReportUnreadable(
            f"{_name(report, page.account)}: the answer cannot be read: {error.message}", hint=error.hint
        ) from None


def snapshots(
    report: Report,
    account: Account,
    reading: PageReading,
    days: list[date],
    *,
    now: datetime,
    rates: ExchangeRates,
) -> ReportReading:
    """The snapshots of these days. Lines of other days are left out: those days were not read as a whole."""
    found = ReportReading(report.name)
    occurrences: Counter[str] = Counter()
    found.rejections = [
        _rejection(report, account, refusal, now, occurrences)
        for refusal in reading.refusals[:_MOST_REFUSALS]
    ]
    if reading.refusals and not reading.lines:
        found.problem = (
            f"{_name(report, account)}: none of {len(reading.refusals)} lines can be read, the first because: "
            f"{reading.refusals[0].error.message}; what was known of these days is left as it was"
        )
        return found
    by_day: dict[date, list[BillLine]] = defaultdict(list)
    for line in reading.lines:
        by_day[day_of(line.period_start, report.utc_offset_minutes)].append(line)
    refused: dict[date, int] = defaultdict(int)
    for refusal in reading.refusals:
        refused[refusal.day] += 1
    for day in days:
        scope = _scope(report, account, day)
        settled = now >= scope.end + timedelta(days=report.final_after_days)
        lines = [_completed(line, settled, rates) for line in by_day[day]]
        found.bills += snapshot_of(
            scope, lines, recorded_at=now, refused_lines=refused[day], is_final=settled
        )
    found.days = len(days)
    return found


def _completed(line: BillLine, settled: bool, rates: ExchangeRates) -> BillLine:
    changes: dict[str, Any] = {"is_final": line.is_final and settled}
    if line.amount is not None and line.amount_usd is None:
        changes["amount_usd"] = in_usd(line.amount, line.currency, line.period_start, rates)
    return line.model_copy(update=changes)


def in_usd(amount: Decimal, currency: str, moment: datetime, rates: ExchangeRates) -> Decimal | None:
    """An amount in dollars, at the rate of `moment`; None where none is known."""
    if currency == "USD":
        return amount
    picos, _, _ = rates.rate(currency, moment)
    if picos is None:
        return None
    return decimal_from_picos(
        divide_half_even(picos_from_decimal(amount) * picos, PICOS_PER_UNIT)
    ).normalize()


def _scope(report: Report, account: Account, day: date) -> Scope:
    return Scope(account.tenant, account.vendor, account.name, report.name, day, report.utc_offset_minutes)


def _name(report: Report, account: Account) -> str:
    return f"{report.name} of {account.name} at {report.vendor}"


def _rejection(
    report: Report, account: Account, refusal: Refusal, now: datetime, occurrences: Counter[str]
) -> Rejection:
    """The rejection of a row, under a name that it has again when it is read again.

    occurrences: how often a row that says the same was refused so far.
    """
    piece = json.dumps(dict(refusal.row), default=str).encode()
    digest = hashlib.blake2b(piece, digest_size=8).hexdigest()
    name = f"bills/{report.vendor}/{account.name}/{report.name}/{refusal.day}/{digest}"
    occurrences[name] += 1
    payload, truncated = redact(piece)
    error = refusal.error
    return Rejection(
        id=f"{name}-{occurrences[name]}" if occurrences[name] > 1 else name,
        rejected_at=now,
        stage="collector",
        reason=error.reason,
        field=error.field[:256],
        detail=f"{_name(report, account)}, {refusal.day}: {error}"[:2000],
        key=account.name,
        size_bytes=len(piece),
        payload=payload,
        truncated=truncated,
    )
