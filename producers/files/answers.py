"""Raw answers as a stream of lines, for `weir parse`: each line in, its event's fields or its error out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from producers import vendors
from producers.files.lines import MAX_LINE_BYTES
from producers.files.rows import json_object
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import UsageEvent

ALWAYS_WRITTEN: Final = ("input_tokens", "output_tokens")


def parse_answers(
    lines: Iterable[bytes],
    vendor: str,
    surface: str | None = None,
    *,
    now: datetime,
    source: str = "weir-parse",
    fields: Mapping[str, Any] | None = None,
    inner_calls: bool = False,
) -> Iterator[dict[str, Any]]:
    """For each line that is not blank a dict that JSON can write.

    It holds the event's fields that are not at their default, input_tokens and output_tokens in any case; or
    `error`, `field`, `reason` and `line` (from 0) for a line that cannot be read. surface: None finds it line by
    line. now: UTC, the time of answers that state none. fields: fields of UsageEvent for every event.
    inner_calls: whether calls that were billed within an answer follow it with lines of their own; without it
    there is one dict a line. Raises WrongCall at once for a vendor or surface without reader.
    """
    vendors.surfaces(vendor)
    if surface is not None:
        vendors.surface_named(vendor, surface)
    context = vendors.AnswerContext(source=source, now=now, fields=fields or {})
    return _parsed(lines, vendor, surface, context, inner_calls)


def event_fields(event: UsageEvent) -> dict[str, Any]:
    """The fields of an event that say something, ready for JSON; whole units are numbers."""
    written = event.model_dump(mode="json", exclude_defaults=True)
    for name in ALWAYS_WRITTEN:
        written[name] = getattr(event, name)
    if event.units:
        written["units"] = {name: _number(amount) for name, amount in event.units.items()}
    return written


def _parsed(
    lines: Iterable[bytes],
    vendor: str,
    surface: str | None,
    context: vendors.AnswerContext,
    inner_calls: bool,
) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            events = vendors.read_calls(vendor, _object(line), surface=surface, context=context)
        except RejectedInput as problem:
            yield {"error": str(problem), "reason": problem.reason, "field": problem.field, "line": number}
            continue
        for event in events if inner_calls else events[:1]:
            yield event_fields(event)


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise RejectedInput("too_large", f"the line has {len(line)} bytes, more than {MAX_LINE_BYTES}")
    return json_object(line)


def _number(amount: Decimal) -> int | str:
    return int(amount) if amount == amount.to_integral_value() else format(amount.normalize(), "f")
