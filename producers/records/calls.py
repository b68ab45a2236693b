"""From what a record says of a call to its event.

One place decides how a call of a record is named, so that a call which an SDK and a gateway's log both report is one:
`<vendor>:<the vendor's response id>` where the record states that id, else `<tool>:<the record's own id>`, else the
caller's name for a record without any.
Counts are left to the vendor's own reader where the record holds the vendor's answer.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from producers import vendors
from producers.records.registry import RecordContext
from producers.vendors.answer import UNKNOWN_MODEL, AnswerContext
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.identity import new_event_id, vendor_event_id
from tokenweir.usage.reading import read_event_object

_ATTRIBUTION: Final = {
    "team": "team",
    "project": "project",
    "service": "service",
    "environment": "environment",
    "env": "environment",
    "user": "user",
    "_user": "user",
    "user_id": "user",
}
"""Names that people give to metadata which are fields of an event. Whose ledger it is, metadata does not decide."""

_HTTP_TOO_MANY_REQUESTS: Final = 429
_HTTP_TIMEOUTS: Final = (408, 504)
_HTTP_CANCELLED: Final = (499,)
_FIRST_HTTP_ERROR: Final = 400


def event_of(
    context: RecordContext,
    *,
    vendor: str,
    model: str,
    time: datetime | None,
    counts: Mapping[str, int],
    response_id: str = "",
    own_id: str = "",
    **facts: Any,
) -> UsageEvent:
    """The event of a call.

    response_id: the vendor's. own_id: `<tool>:<id>`, taken where there is none. counts: token fields, inclusive
    totals. facts: further fields of UsageEvent; empty ones are left out. The caller's own fields win.
    Raises RejectedInput for an event that cannot be.
    """
    vendor = str(context.fields.get("vendor") or vendor)
    fields: dict[str, Any] = {
        "id": call_id(context, vendor, response_id, own_id),
        "source": context.source,
        "time": time or context.now,
        "vendor": vendor,
        "model": model or UNKNOWN_MODEL,
    }
    fields.update((name, count) for name, count in counts.items() if count)
    fields.update(stated(facts))
    fields.update(context.fields)
    return read_event_object(fields, now=context.now)


def events_of_answer(
    context: RecordContext,
    *,
    vendor: str,
    answer: Mapping[str, Any],
    time: datetime | None,
    own_id: str = "",
    surface: str | None = None,
    **facts: Any,
) -> tuple[UsageEvent, ...]:
    """The events of a vendor's own answer that a record holds, by that vendor's reader.

    facts: what the record says beside it; the caller's own fields win. Raises RejectedInput.
    """
    return vendors.read_calls(
        str(context.fields.get("vendor") or vendor),
        answer,
        surface=surface,
        context=AnswerContext(
            source=context.source,
            now=context.now,
            time=time,
            fields={**stated(facts), **context.fields},
            make_id=(lambda: own_id) if own_id else context.make_id,
        ),
    )


def call_id(context: RecordContext, vendor: str, response_id: str, own_id: str) -> str:
    """The name of a call, by the best that is known of it."""
    if response_id:
        return vendor_event_id(vendor, response_id)
    if own_id:
        return own_id
    return context.make_id() if context.make_id is not None else new_event_id(context.source)


def stated(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that say something."""
    return {name: value for name, value in facts.items() if value not in (None, "", {}, 0, False)}


def cost_facts(cost: Decimal | None, currency: str = "USD") -> dict[str, Any]:
    """reported_cost and its currency. 0 is what tools state for a model that they have no price for: no statement."""
    return {"reported_cost": cost, "reported_currency": currency} if cost else {}


def attributed(labels: Mapping[str, str]) -> dict[str, Any]:
    """A tool's pairs of metadata as facts: team, project, service, environment and user where so named, else tags."""
    facts: dict[str, Any] = {}
    tags: dict[str, str] = {}
    for name, value in labels.items():
        field = _ATTRIBUTION.get(name.lower(), "")
        if field and field not in facts:
            facts[field] = value
        else:
            tags[name] = value
    return {**facts, "tags": tags}


def http_status_facts(status: int) -> dict[str, Any]:
    """status and error_code of a call that was answered with this HTTP status; nothing for a good one."""
    if status < _FIRST_HTTP_ERROR:
        return {}
    if status == _HTTP_TOO_MANY_REQUESTS:
        return {"status": "rate_limited", "error_code": str(status)}
    if status in _HTTP_TIMEOUTS:
        return {"status": "timeout", "error_code": str(status)}
    return {"status": "cancelled" if status in _HTTP_CANCELLED else "error", "error_code": str(status)}


def has_reader(vendor: str) -> bool:
    """Whether this vendor's answers can be read here."""
    return vendor in vendors.vendors()


def uncounted(counts: Iterable[int]) -> bool:
    """Whether nothing was counted: the call failed, or was answered from a cache, and is not billed."""
    return not any(counts)
