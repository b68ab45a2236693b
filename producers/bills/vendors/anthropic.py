"""Anthropic's usage, cost and Claude Code reports, for an admin key.

Sources: https://platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report, …/get-cost-report,
…/claude-code/get-claude-code-usage-report.

- Usage counts exclude each other; the line has their inclusive total. There is no count of requests.
- `cost_report` amounts are decimal strings of cents; `claude_code` has whole cents, estimated, of usage that the
  messages report counts too, hence a detail. Priority Tier is in neither.
- A null workspace is the default one; a null key is the Console.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from producers.bills.reading import (
    Page,
    PageReading,
    count,
    currency,
    needed_amount,
    needed_count,
    needed_day,
    needed_moment,
    needed_text,
)
from producers.bills.registry import Report, register
from producers.bills.request import Account, Request, Window, rfc3339, x_api_key
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line

_HOST: Final = "https://api.anthropic.com"
_VERSION: Final = (("anthropic-version", "2023-06-01"),)
_CENT: Final = Decimal("0.01")
_NO_REGION: Final = ("", "not_available")
Make = Callable[[Account, datetime, datetime, Answer], BillLine | Sequence[BillLine]]


def first_request(path: str, group_by: tuple[str, ...], account: Account, window: Window) -> Request:
    """The first page of a report by day."""
    return Request(
        method="GET",
        url=f"{account.at(_HOST)}/v1/organizations/{path}",
        query=(
            ("starting_at", rfc3339(window.start_at)),
            ("ending_at", rfc3339(window.end_at)),
            ("bucket_width", "1d"),
            ("limit", "31"),
            *(("group_by[]", name) for name in group_by),
        ),
        headers=_VERSION,
    )


def first_claude_code_request(account: Account, window: Window) -> Request:
    """The first page of the window's first day; the report gives one day at a time."""
    return Request(
        method="GET",
        url=f"{account.at(_HOST)}/v1/organizations/usage_report/claude_code",
        query=(("starting_at", window.start.isoformat()), ("limit", "1000")),
        headers=_VERSION,
        tag=window.start.isoformat(),
    )


def read_buckets(make: Make, page: Page) -> PageReading:
    """A page of buckets."""
    reading = PageReading()
    for bucket in reading.rows(page.answer, "data", page.window.start):
        start, end = needed_moment(bucket, "starting_at"), needed_moment(bucket, "ending_at")
        for row in reading.rows(bucket, "results", start.date()):
            reading.add(row, start.date(), partial(make, page.account, start, end))
    _go_on(reading, page)
    return reading


def read_claude_code(page: Page) -> PageReading:
    """A page of one day's people, each with their models; then the next page, or the next day."""
    reading = PageReading()
    for row in reading.rows(page.answer, "data", page.day):
        reading.add(row, page.day, partial(_claude_code_lines, page.account))
    _go_on(reading, page)
    following = page.day + timedelta(days=1)
    if reading.next is None and following < page.window.end:
        reading.next = first_claude_code_request(
            page.account, Window(following, page.window.end, page.window.utc_offset_minutes)
        )
    return reading


def _go_on(reading: PageReading, page: Page) -> None:
    if page.answer.find("has_more") is True:
        token = page.answer.text("next_page")
        if not token:
            raise page.answer.refusal("missing_field", "next_page", "is missing, though there is more")
        reading.next = page.request.asking(page=token)


def _usage_line(account: Account, start: datetime, end: datetime, row: Answer) -> BillLine:
    read = count(row, "cache_read_input_tokens") or 0
    written = sum(count(row, f"cache_creation.ephemeral_{ttl}_input_tokens") or 0 for ttl in ("1h", "5m"))
    searches = count(row, "server_tool_use.web_search_requests")
    region = row.text("inference_geo")
    return bill_line(
        period_start=start,
        period_end=end,
        line_item="messages",
        model=row.text("model"),
        project=account.label(row.text("workspace_id")),
        api_key=account.label(row.text("api_key_id")),
        user=account.label(row.text("account_id")),
        region="" if region in _NO_REGION else region,
        service_tier=row.text("service_tier"),
        input_tokens=needed_count(row, "uncached_input_tokens") + read + written,
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=needed_count(row, "output_tokens"),
        quantity=Decimal(searches) if searches else None,
        unit="web_searches" if searches else "",
    )


def _cost_line(account: Account, start: datetime, end: datetime, row: Answer) -> BillLine:
    region = row.text("inference_geo")
    return bill_line(
        period_start=start,
        period_end=end,
        line_item=row.text("description", "cost_type"),
        model=row.text("model"),
        project=account.label(row.text("workspace_id")),
        region="" if region in _NO_REGION else region,
        service_tier=row.text("service_tier"),
        amount=needed_amount(row, "amount") * _CENT,
        currency=currency(row, "currency"),
    )


def _claude_code_lines(account: Account, row: Answer) -> list[BillLine]:
    start = needed_day(row, "date", 0)
    kind = row.text("customer_type") or "api"
    lines = []
    for model in row.parts("model_breakdown"):
        read = count(model, "tokens.cache_read") or 0
        written = count(model, "tokens.cache_creation") or 0
        lines.append(
            bill_line(
                period_start=start,
                period_end=start + timedelta(days=1),
                line_item=f"claude_code, {kind}",
                model=needed_text(model, "model"),
                user=account.label(row.text("actor.email_address")),
                api_key=account.label(row.text("actor.api_key_name")),
                input_tokens=needed_count(model, "tokens.input") + read + written,
                cache_read_tokens=read,
                cache_write_tokens=written,
                output_tokens=needed_count(model, "tokens.output"),
                amount=needed_amount(model, "estimated_cost.amount") * _CENT,
                currency=currency(model, "estimated_cost.currency"),
                is_detail=True,
            )
        )
    return lines


register(
    Report(
        vendor="anthropic",
        name="usage_report/messages",
        first=partial(
            first_request,
            "usage_report/messages",
            ("api_key_id", "workspace_id", "model", "service_tier", "inference_geo"),
        ),
        read=partial(read_buckets, _usage_line),
        sign=x_api_key,
    )
)
register(
    Report(
        vendor="anthropic",
        name="cost_report",
        first=partial(first_request, "cost_report", ("workspace_id", "description")),
        read=partial(read_buckets, _cost_line),
        sign=x_api_key,
    )
)
register(
    Report(
        vendor="anthropic",
        name="usage_report/claude_code",
        first=first_claude_code_request,
        read=read_claude_code,
        sign=x_api_key,
        always=False,
    )
)
