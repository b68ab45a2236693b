"""Raw answers as a stream of lines, for `weir parse`: what vendors sent in, events' fields or errors out.

A line holds one answer, one event of a stream that tells usage, an array of a stream's chunks, or an object with them
under `events_with_usage`; or the lines are server-sent events as they came over the wire. Records of other tools that
state a vendor's call (a cloud's invocation log) are read as `weir ingest` reads them; those of a tool that is named in
the vendor's place by `producers.files.tools`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from producers import records, vendors
from producers.files.lines import MAX_LINE_BYTES
from producers.files.rows import json_object
from producers.files.server_sent import ServerSentAnswers, StreamedAnswer, is_event_line
from producers.files.tools import TOOLS, ToolReader, refuse_bills
from producers.vendors.answer import Answer
from tokenweir.errors import RejectedInput
from tokenweir.usage.event import UsageEvent

ALWAYS_WRITTEN: Final = ("input_tokens", "output_tokens")
_CHUNKS: Final = ("events_with_usage", "chunks")
_RECORD_SURFACES: Final = {"invocation_log": "bedrock_invocation_log", "gateway_llm_log": "azure_apim"}
"""Records of a vendor's cloud that are asked for as if they were a surface of the vendor."""


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
    """For each answer a dict that JSON can write.

    It holds the event's fields that are not at their default, input_tokens and output_tokens in any case; or
    `error`, `field`, `reason` and `line` (from 0) for a line that cannot be read. surface: None finds it line by
    line. now: UTC, the time of answers that state none. fields: fields of UsageEvent for every event.
    inner_calls: whether further calls that were billed within an answer are given too, after those of all lines, so
    that lines and dicts stay beside each other; without it there is one dict an answer. Raises WrongCall at once for a
    surface without reader or a vendor's name mistyped. vendor: or a tool (`TOOLS`), whose records give a dict for each
    call in any case.
    """
    refuse_bills(surface)
    if vendor in TOOLS:
        known = records.RecordContext(source=source, now=now, fields=fields or {})
        return _recorded(lines, ToolReader(vendor, surface, known))
    vendors.surfaces(vendor)
    record = _RECORD_SURFACES.get(surface or "")
    named = vendors.surface_named(vendor, surface) or None if surface and not record else None
    context = vendors.AnswerContext(source=source, now=now, fields=fields or {})
    return _parsed(lines, _Reader(vendor, named, record, context), inner_calls)


def event_fields(event: UsageEvent) -> dict[str, Any]:
    """The fields of an event that say something, ready for JSON; whole units are numbers."""
    written = event.model_dump(mode="json", exclude_defaults=True)
    for name in ALWAYS_WRITTEN:
        written[name] = getattr(event, name)
    if event.units:
        written["units"] = {name: _number(amount) for name, amount in event.units.items()}
    return written


class _Reader:
    """One vendor's answers in whatever form a line has."""

    def __init__(
        self, vendor: str, surface: str | None, record: str | None, context: vendors.AnswerContext
    ) -> None:
        self._vendor = vendor
        self._surface = surface
        self._record = record
        self._context = context
        self._record_readers: dict[str, records.RecordReader] = {}

    def line(self, line: bytes) -> Sequence[UsageEvent]:
        """The calls of a line. Raises RejectedInput."""
        if len(line) > MAX_LINE_BYTES:
            raise RejectedInput("too_large", f"the line has {len(line)} bytes, more than {MAX_LINE_BYTES}")
        if line.lstrip().startswith(b"["):
            return self.chunks(json_object(b'{"chunks":' + line + b"}")["chunks"])
        body = json_object(line)
        for name in _CHUNKS:
            if isinstance(body.get(name), list):
                return self.chunks(body[name])
        return self._record_calls(self._record, body) if self._record else self._calls(body)

    def chunks(self, chunks: Sequence[Any]) -> Sequence[UsageEvent]:
        """The calls of the chunks of one streamed answer, or of several whole answers. Raises RejectedInput."""
        objects = [chunk for chunk in chunks if isinstance(chunk, Mapping)]
        if _are_whole(objects):
            return [event for answer in objects for event in self._calls(answer)]
        try:
            return vendors.read_stream(self._vendor, objects, surface=self._surface, context=self._context)
        except RejectedInput:
            if len(objects) != 1:
                raise
        events = self._calls(objects[0])
        return [event.model_copy(update={"streaming": True}) for event in events]

    def _calls(self, body: Mapping[str, Any]) -> Sequence[UsageEvent]:
        try:
            return vendors.read_calls(self._vendor, body, surface=self._surface, context=self._context)
        except RejectedInput:
            record = records.detect(body) if self._surface is None else ""
            if not record:
                raise
        return self._record_calls(record, body)

    def _record_calls(self, name: str, body: Mapping[str, Any]) -> Sequence[UsageEvent]:
        reader = self._record_readers.get(name)
        if reader is None:
            reader = self._record_readers[name] = records.new_reader(name)
        known = self._context
        context = records.RecordContext(source=known.source, now=known.now, fields=known.fields)
        events = tuple(reader(Answer(body), context))
        if not events:
            raise RejectedInput(
                "missing_field",
                "usage: the record states no call that was billed",
                field="usage",
                hint="A record of a failed call, or one that only goes with others, has no event",
            )
        return events


def _are_whole(objects: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are answers that each stand by themselves: every one has an id of its own and is no chunk."""
    ids = {body.get("id") for body in objects if isinstance(body.get("id"), str)}
    chunked = any(str(body.get("object")).endswith(".chunk") for body in objects)
    return len(ids) == len(objects) > 1 and not chunked and all("usage" in body for body in objects)


def _recorded(lines: Iterable[bytes], read: ToolReader) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines):
        if line.strip():
            for found in read.line(line):
                yield _refused(found, number) if isinstance(found, RejectedInput) else event_fields(found)


def _refused(problem: RejectedInput, number: int) -> dict[str, Any]:
    return {"error": str(problem), "reason": problem.reason, "field": problem.field, "line": number}


def _parsed(lines: Iterable[bytes], read: _Reader, inner_calls: bool) -> Iterator[dict[str, Any]]:
    later: list[UsageEvent] = []

    def written(number: int, calls: Callable[[], Sequence[UsageEvent]]) -> dict[str, Any]:
        try:
            first, *others = calls()
        except RejectedInput as problem:
            return _refused(problem, number)
        later.extend(others)
        return event_fields(first)

    def of_stream(answer: StreamedAnswer) -> dict[str, Any]:
        return written(answer.first_line, partial(_calls_of, read, answer))

    sent = ServerSentAnswers()
    for number, line in enumerate(lines):
        content = line.strip()
        if not content:
            yield from map(of_stream, sent.end_of_event())
        elif is_event_line(content):
            yield from map(of_stream, sent.feed(number, content))
        else:
            yield from map(of_stream, sent.close())
            yield written(number, partial(read.line, line))
    yield from map(of_stream, sent.close())
    if inner_calls:
        yield from map(event_fields, later)


def _calls_of(read: _Reader, answer: StreamedAnswer) -> Sequence[UsageEvent]:
    if answer.problem is not None:
        raise answer.problem
    return read.chunks(answer.chunks)


def _number(amount: Decimal) -> int | str:
    return int(amount) if amount == amount.to_integral_value() else format(amount.normalize(), "f")
