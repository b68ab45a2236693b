"""OpenAI's organization usage and cost reports, for an admin key.

Source: openai 3.57.0, `types/admin/organization/usage_*`; https://platform.openai.com/docs/api-reference/usage.

- `input_tokens` includes cached and cache-write tokens; there is no split of reasoning.
- Costs are dollars, as a JSON number or as a string; `line_item` is "<model>, <kind>" or a service's name.
- Usage and costs are separate pipelines with a lag of their own: tokens come from the one, money from the other.
- Whether `group_by` wants brackets in the query is taken from the SDK.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from producers.bills.reading import Page, PageReading, amount, count, currency, needed_amount, needed_moment
from producers.bills.registry import Report, register
from producers.bills.request import Account, Request, Window
from producers.vendors.answer import Answer
from producers.vendors.answer import service_tier as tier_name
from tokenweir.bills.line import BillLine, bill_line

_HOST: Final = "https://api.openai.com"
_GROUPS: Final = ("project_id", "user_id", "api_key_id", "model")
Own = Callable[[Answer], dict[str, Any]]


def first_request(path: str, group_by: tuple[str, ...], account: Account, window: Window) -> Request:
    """The first page of a report by day."""
    return Request(
        method="GET",
        url=f"{account.at(_HOST)}/v1/organization/{path}",
        query=(
            ("start_time", str(int(window.start_at.timestamp()))),
            ("end_time", str(int(window.end_at.timestamp()))),
            ("bucket_width", "1d"),
            ("limit", "31"),
            *(("group_by[]", name) for name in group_by),
        ),
    )


def read_page(own: Own, page: Page) -> PageReading:
    """A page of buckets; `own` reads what is particular to the report."""
    reading = PageReading()
    for bucket in reading.rows(page.answer, "data", page.window.start):
        start, end = needed_moment(bucket, "start_time"), needed_moment(bucket, "end_time")
        for row in reading.rows(bucket, "results", start.date()):
            reading.add(row, start.date(), partial(_line, page.account, start, end, own))
    if page.answer.find("has_more") is True:
        reading.next = page.request.asking(page=_next_page(page.answer))
    return reading


def _next_page(answer: Answer) -> str:
    token = answer.text("next_page")
    if not token:
        raise answer.refusal("missing_field", "next_page", "is missing, though there is more")
    return token


def _line(account: Account, start: datetime, end: datetime, own: Own, row: Answer) -> BillLine:
    tier = "batch" if row.find("batch") is True else tier_name(row.text("service_tier"))
    fields = {
        "period_start": start.astimezone(UTC),
        "period_end": end.astimezone(UTC),
        "project": account.label(row.text("project_id")),
        "api_key": account.label(row.text("api_key_id")),
        "user": account.label(row.text("user_id")),
        "model": row.text("model"),
        "service_tier": tier,
    }
    return bill_line(**{**fields, **own(row)})


def _tokens(name: str, row: Answer) -> dict[str, Any]:
    row.need_any("input_tokens")
    return {
        "line_item": name,
        "requests": count(row, "num_model_requests"),
        "input_tokens": count(row, "input_tokens"),
        "cache_read_tokens": count(row, "input_cached_tokens"),
        "cache_write_tokens": count(row, "input_cache_write_tokens"),
        "output_tokens": count(row, "output_tokens"),
    }


def _quantity(name: str, path: str, unit: str, row: Answer) -> dict[str, Any]:
    details = [row.text(detail) for detail in ("size", "source", "context_level", "vector_store_id")]
    return {
        "line_item": ", ".join([name, *(detail for detail in details if detail)]),
        "requests": count(row, "num_model_requests"),
        "quantity": needed_amount(row, path),
        "unit": unit,
    }


def _cost(row: Answer) -> dict[str, Any]:
    item = row.text("line_item")
    model, comma, _ = item.rpartition(", ")
    return {
        "line_item": item,
        "model": model if comma else "",
        "amount": needed_amount(row, "amount.value"),
        "currency": currency(row, "amount.currency"),
        "quantity": amount(row, "quantity"),
        "unit": row.text("quantity_unit"),
    }


def _usage(name: str, group_by: tuple[str, ...], own: Own) -> None:
    register(
        Report(
            vendor="openai",
            name=f"usage/{name}",
            first=partial(first_request, f"usage/{name}", group_by),
            read=partial(read_page, own),
        )
    )


_usage("completions", (*_GROUPS, "batch", "service_tier"), partial(_tokens, "completions"))
_usage("embeddings", _GROUPS, partial(_tokens, "embeddings"))
_usage("moderations", _GROUPS, partial(_tokens, "moderations"))
_usage("decisions", (*_GROUPS, "batch", "service_tier"), partial(_tokens, "decisions"))
for _name, _groups, _path, _unit in (
    ("images", (*_GROUPS, "size", "source"), "images", "images"),
    ("audio_speeches", _GROUPS, "characters", "characters"),
    ("audio_transcriptions", _GROUPS, "seconds", "audio_seconds"),
    ("vector_stores", ("project_id",), "usage_bytes", "stored_bytes"),
    ("code_interpreter_sessions", ("project_id",), "num_sessions", "sessions"),
    (
        "file_search_calls",
        ("project_id", "user_id", "api_key_id", "vector_store_id"),
        "num_requests",
        "file_searches",
    ),
    ("web_search_calls", (*_GROUPS, "context_level"), "num_requests", "web_searches"),
):
    _usage(_name, _groups, partial(_quantity, _name, _path, _unit))
register(
    Report(
        vendor="openai",
        name="costs",
        first=partial(first_request, "costs", ("project_id", "line_item", "api_key_id")),
        read=partial(read_page, _cost),
    )
)
