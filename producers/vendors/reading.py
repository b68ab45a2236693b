"""From a vendor's raw answer, or the chunks of a streamed one, to the events of the calls that it was billed as.

Invariants: an answer gives at least one event or a typed error; what the caller knows holds over what the answer says,
tags are merged; counts are inclusive totals, so that the total that a vendor states is their sum whatever its habits. A
stated total that is another one never changes a count nor costs the event: it shows as the tag `usage_total_mismatch`,
the stated total minus the one that was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from producers.vendors.answer import UNKNOWN_MODEL, Answer, AnswerContext, Reading
from producers.vendors.names import vendor_name
from producers.vendors.registry import Merged, Reader, detect, streams_of, surface_named, surfaces_of
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import MAX_TAGS, MAX_TOKENS, UsageEvent
from tokenweir.usage.identity import vendor_event_id
from tokenweir.usage.reading import read_event_object

TOTAL_MISMATCH: Final = "usage_total_mismatch"
STREAM_CUT_OFF: Final = "stream_cut_off"
USAGE_NOT_STATED: Final = "usage_not_stated"
"""Error code of a stream that may have been billed and did not say what for: counted with no tokens, and visibly so."""

_USAGE_AT: Final = ("usage", "usageMetadata")


_OF_AN_EVENT: Final = ("source", "vendor", "time", "model")
"""What every usage event has, and no vendor's answer has together."""


def read_calls(
    vendor: str, body: Mapping[str, Any], *, surface: str | None = None, context: AnswerContext
) -> tuple[UsageEvent, ...]:
    """Every call that one answer was billed as: the answer's own first, then those within it.

    Most answers are one call. An Anthropic answer that consulted an advisor or was compacted on the way is
    several, at two models' prices; the inner ones are named after the first, `<id>/<number>`.
    body: the decoded JSON object; no more of it is needed than model and usage. A single event of a stream that tells
    usage is taken, too, and so is a usage object by itself. Raises RejectedInput that names the field, WrongCall for a
    surface without reader or a vendor's name mistyped.
    """
    if all(isinstance(body.get(name), str) for name in _OF_AN_EVENT):
        # With its counts at the top it would pass for a usage object, under a wrong name and without its subsets.
        raise RejectedInput(
            "unknown_field",
            "source: this is a usage event already, not an answer of a vendor",
            field="source",
            hint="Ingest it as it is, or send it to /v1/events",
        )
    name = surface_named(vendor, surface) if surface else ""
    if not name:
        name, body = _found(vendor, body)
    chosen = surfaces_of(vendor)[name]
    answer = Answer(body)
    if chosen.looks_like(answer):
        return tuple(_events(vendor, [chosen.read(answer)], context))
    streamed = streams_of(vendor).get(name)
    if streamed is not None and streamed.looks_like(answer):
        merged = streamed.merge([answer])
        if not merged.stated:
            raise answer.refusal(
                "missing_field",
                "usage",
                "is missing",
                hint="A single chunk or event of a stream is a call only where it tells the usage",
            )
        return tuple(_events(vendor, [_streamed(chosen.read, merged)], context))
    whole = next((whole for whole in _wholes(body) if chosen.looks_like(Answer(whole))), body)
    return tuple(_events(vendor, [chosen.read(Answer(whole))], context))


def read_answer(
    vendor: str, body: Mapping[str, Any], *, surface: str | None = None, context: AnswerContext
) -> UsageEvent:
    """The event of an answer's own call, as `read_calls` gives it first; raises as `read_calls` does."""
    return read_calls(vendor, body, surface=surface, context=context)[0]


def read_stream(
    vendor: str, chunks: Sequence[Mapping[str, Any]], *, surface: str | None = None, context: AnswerContext
) -> tuple[UsageEvent, ...]:
    """Every call that one streamed answer was billed as, from its decoded chunks in order.

    The events say `streaming`; those of a stream that was cut off have status cancelled (unless the caller's fields
    or the answer say otherwise) and the counts known so far. Raises as `read_calls` does.
    """
    known = surfaces_of(vendor)
    answers = [Answer(chunk) for chunk in chunks]
    streams = streams_of(vendor)
    name = surface_named(vendor, surface) if surface else ""
    for candidate in filter(None, [streams.get(name)]) if name else streams.values():
        if not name and not any(map(candidate.looks_like, answers)):
            continue
        merged = candidate.merge(answers)
        read = known[candidate.surface].read
        readings = [_streamed(read, part) for part in (merged, *merged.further)]
        return tuple(_events(vendor, readings, context))
    raise RejectedInput(
        "missing_field",
        f"usage: these are no chunks of a stream of {vendor} that states its usage",
        field="usage",
        hint=f"Known are its streams of {', '.join(streams) or 'nothing'}",
    )


def _found(vendor: str, body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The surface of an answer, and the answer; of a usage object by itself, the answer that it would stand in."""
    try:
        return detect(vendor, body), body
    except RejectedInput:
        for whole in _wholes(body):
            try:
                return detect(vendor, whole), whole
            except RejectedInput:
                continue
        raise


def _wholes(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The answers that `body` would be the usage of."""
    if any(type(value) is int or isinstance(value, float) for value in body.values()):
        yield from ({**body, at: body} for at in _USAGE_AT if at not in body)


def _streamed(read: Reader, merged: Merged) -> Reading:
    reading = read(Answer(merged.body))
    status, code = reading.status, reading.error_code or ("" if merged.stated else USAGE_NOT_STATED)
    if merged.status:
        status, code = merged.status, merged.error_code
    elif not merged.complete and status == "ok":
        status, code = "cancelled", code or STREAM_CUT_OFF
    return replace(reading, facts={"streaming": True, **reading.facts}, status=status, error_code=code)


def _events(vendor: str, readings: Sequence[Reading], context: AnswerContext) -> Iterator[UsageEvent]:
    """The events of one or several calls that came together, each one's inner calls behind it."""
    vendor = vendor_name(vendor)
    made_up = ""
    for number, reading in enumerate(readings):
        if reading.response_id:
            event_id = vendor_event_id(vendor, reading.response_id)
        else:
            made_up = made_up or context.new_id()
            event_id = f"{made_up}.{number}" if number else made_up
        yield _event(vendor, reading, event_id, context)
        for place, call in enumerate(reading.inner, start=1):
            yield _event(vendor, call, f"{event_id}/{place}", context, time=reading.time)


def _event(
    vendor: str, reading: Reading, event_id: str, context: AnswerContext, *, time: Any = None
) -> UsageEvent:
    fields: dict[str, Any] = {
        "id": event_id,
        "source": context.source,
        "time": reading.time or time or context.time or context.now,
        "vendor": vendor,
        "model": reading.model or UNKNOWN_MODEL,
        "operation": reading.operation,
        "status": reading.status,
    }
    counts = reading.counts
    for name, count in counts.items():
        if count:
            fields[name] = count
    if reading.region:
        fields["region"] = reading.region
    if reading.service_tier:
        fields["service_tier"] = reading.service_tier
    if reading.error_code:
        fields["error_code"] = reading.error_code
    if reading.units:
        fields["units"] = reading.units
    facts = reading.facts
    if facts:
        fields.update(facts)
    fields.update(context.fields)
    tags = _tags(reading)
    if tags:
        tags = {**tags, **context.fields.get("tags", {})}
        if len(tags) <= MAX_TAGS:
            fields["tags"] = tags
    return read_event_object(fields, now=context.now)


def _tags(reading: Reading) -> Mapping[str, str]:
    own: Mapping[str, str] = reading.facts.get("tags", {}) if reading.facts else {}
    stated = reading.stated_total
    if not stated:
        return own
    counts = reading.counts
    difference = stated - counts.get("input_tokens", 0) - counts.get("output_tokens", 0)
    if difference == 0 or abs(difference) > MAX_TOKENS:
        return own
    return {**own, TOTAL_MISMATCH: f"{difference:+d}"}
