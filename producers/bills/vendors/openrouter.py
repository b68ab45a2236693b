"""OpenRouter's activity, and, as details, its credits and single generations.

Sources: openrouter 1.3.84, `components/activityitem.py` and `generationresponse.py`; https://openrouter.ai/docs.

- Activity holds the last 30 completed UTC days. `usage` is what OpenRouter charged, in dollars.
- Where a customer's own vendor key was used (`byok_usage_inference`) the vendor sends that bill: here it is a
  quantity and no amount.
- `cached_tokens` can exceed `prompt_tokens`, where a cached answer was given again; it is kept as it is.
"""

from datetime import timedelta
from functools import partial
from typing import Final

from producers.bills.reading import Page, PageReading, amount, count, needed_amount, needed_day, needed_moment
from producers.bills.registry import Report, register
from producers.bills.request import Account, Request, Window
from producers.vendors.answer import Answer
from tokenweir.bills.line import BillLine, bill_line
from tokenweir.bills.snapshot import day_start
from tokenweir.errors import WrongCall

_HOST: Final = "https://openrouter.ai"


def first_activity_request(account: Account, window: Window) -> Request:
    """The window's first day; the others follow one by one."""
    return Request(
        method="GET",
        url=f"{account.at(_HOST)}/api/v1/activity",
        query=(("date", window.start.isoformat()),),
        tag=window.start.isoformat(),
    )


def read_activity(page: Page) -> PageReading:
    """One day, and the request for the next."""
    reading = PageReading()
    for row in reading.rows(page.answer, "data", page.day):
        reading.add(row, page.day, partial(_activity_lines, page.account))
    following = page.day + timedelta(days=1)
    if following < page.window.end:
        reading.next = first_activity_request(page.account, Window(following, page.window.end))
    return reading


def _activity_lines(account: Account, row: Answer) -> list[BillLine]:
    start = needed_day(row, "date", 0)
    period = {"period_start": start, "period_end": start + timedelta(days=1)}
    place = {
        "model": row.text("model_permaslug", "model"),
        "project": account.label(row.text("workspace_id", "workspace")),
        "region": row.text("provider_name"),
    }
    lines = [
        bill_line(
            **period,
            **place,
            line_item="inference",
            requests=count(row, "requests"),
            input_tokens=count(row, "prompt_tokens"),
            cache_read_tokens=count(row, "cached_tokens"),
            output_tokens=count(row, "completion_tokens"),
            reasoning_tokens=count(row, "reasoning_tokens"),
            amount=needed_amount(row, "usage"),
        )
    ]
    own_key = amount(row, "byok_usage_inference")
    if own_key:
        item = "inference by own key, billed by its vendor"
        lines.append(bill_line(**period, **place, line_item=item, quantity=own_key, unit="usd"))
    return lines


def first_credits_request(account: Account, window: Window) -> Request:
    """What was bought and used so far."""
    return Request(
        method="GET",
        url=f"{account.at(_HOST)}/api/v1/credits",
        tag=(window.end - timedelta(days=1)).isoformat(),
    )


def read_credits(page: Page) -> PageReading:
    """The two totals, as they stand on the window's last day."""
    reading = PageReading()
    start = day_start(page.day, 0)
    for name, path in (("credits bought", "total_credits"), ("credits used", "total_usage")):
        total = needed_amount(page.answer.part("data"), path)
        reading.lines.append(
            bill_line(
                period_start=start,
                period_end=start + timedelta(days=1),
                line_item=f"{name}, since the account began",
                quantity=total,
                unit="usd",
                is_detail=True,
            )
        )
    return reading


def first_generation_request(account: Account, window: Window) -> Request:
    """The first of the generations that the account lists. Raises WrongCall where it lists none."""
    if not account.resources:
        raise WrongCall(
            f"the report generation of {account.name} needs ids of generations",
            hint="List them as resources in the settings",
        )
    return _generation_request(account, 0)


def _generation_request(account: Account, number: int) -> Request:
    return Request(
        method="GET",
        url=f"{account.at(_HOST)}/api/v1/generation",
        query=(("id", account.resources[number]),),
        tag=str(number),
    )


def read_generation(page: Page) -> PageReading:
    """One generation by its native token counts, and the request for the next that is listed."""
    reading = PageReading()
    reading.add(page.answer.part("data"), page.window.start, _generation_line)
    number = int(page.request.tag) + 1 if page.request.tag else len(page.account.resources)
    if number < len(page.account.resources):
        reading.next = _generation_request(page.account, number)
    return reading


def _generation_line(row: Answer) -> BillLine:
    at = needed_moment(row, "created_at")
    return bill_line(
        period_start=at,
        period_end=at + timedelta(seconds=1),
        line_item=f"generation {row.text('id')}",
        model=row.text("model"),
        region=row.text("provider_name"),
        service_tier=row.text("service_tier"),
        requests=1,
        input_tokens=count(row, "native_tokens_prompt", "tokens_prompt"),
        cache_read_tokens=count(row, "native_tokens_cached"),
        output_tokens=count(row, "native_tokens_completion", "tokens_completion"),
        reasoning_tokens=count(row, "native_tokens_reasoning"),
        amount=needed_amount(row, "total_cost", "usage"),
        is_detail=True,
    )


register(
    Report(
        vendor="openrouter",
        name="activity",
        first=first_activity_request,
        read=read_activity,
        most_days=30,
        today=False,
    )
)
register(
    Report(
        vendor="openrouter",
        name="credits",
        first=first_credits_request,
        read=read_credits,
        most_days=1,
        only_now=True,
        final_after_days=0,
        always=False,
    )
)
register(
    Report(
        vendor="openrouter",
        name="generation",
        first=first_generation_request,
        read=read_generation,
        most_days=366,
        always=False,
    )
)
