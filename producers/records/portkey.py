"""Portkey: lines of its log export.

Accounting: `req_units` and `res_units` are the totals of the vendor's answer; an export without bodies tells nothing
of cache and reasoning. Where the export holds the answer (`response`), the vendor's own reader counts, and the call
gets the vendor's own id. `cost` is in **cents** of `cost_currency`, Portkey's estimate. Answers from Portkey's cache
(`cache_status` HIT or SEMANTIC HIT) are not billed and give no event.

Source: Portkey's documentation of log exports.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from producers.records import fields
from producers.records.calls import (
    attributed,
    cost_facts,
    event_of,
    events_of_answer,
    has_reader,
    http_status_facts,
    uncounted,
)
from producers.records.registry import RecordContext, record_format
from producers.vendors.answer import Answer
from producers.vendors.names import vendor_named, vendor_of_model
from tokenweir.usage.event import UsageEvent

_CENTS: Final = 100


def is_log(record: Answer) -> bool:
    return record.has_any("ai_model", "ai_org") and record.has_any("req_units", "res_units", "total_units")


@record_format("portkey", looks_like=is_log)
def read_log(record: Answer, context: RecordContext) -> Iterable[UsageEvent]:
    """One request."""
    if fields.text(record, "cache_status").upper().endswith("HIT"):
        return ()
    model = fields.text(record, "ai_model")
    organisation = fields.text(record, "ai_org")
    vendor = vendor_named(organisation) if organisation else vendor_of_model(model)
    own_id = fields.text(record, "id")
    time = fields.moment(record, "created_at", "time_of_generation")
    cents = fields.amount(record, "cost")
    duration = fields.amount(record, "response_time")
    facts: dict[str, Any] = {
        "session": fields.label(record, "trace_id"),
        **attributed(fields.labels(fields.find(record, "metadata"))),
        "duration_ms": float(duration) if duration is not None else None,
        **cost_facts(cents and cents / _CENTS, fields.text(record, "cost_currency").upper() or "USD"),
        **http_status_facts(fields.whole(record, "response_status_code")),
    }
    body = _answer(record)
    if body is not None and has_reader(vendor):
        return events_of_answer(
            context,
            vendor=vendor,
            answer=body,
            time=time,
            own_id=f"portkey:{own_id}" if own_id else "",
            **facts,
        )
    counts = {
        "input_tokens": fields.whole(record, "req_units"),
        "output_tokens": fields.whole(record, "res_units"),
    }
    if uncounted(counts.values()):
        return ()
    return (
        event_of(
            context,
            vendor=vendor,
            model=model,
            time=time,
            counts=counts,
            own_id=f"portkey:{own_id}" if own_id else "",
            **facts,
        ),
    )


def _answer(record: Answer) -> Mapping[str, Any] | None:
    body = fields.part(record, "response.body", "response")
    return body.body if body.has_any("usage", "usageMetadata") else None
