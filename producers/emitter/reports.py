"""What waits in the emitter's queue to be made into events: a report holds what the caller had at hand, unread.

The caller pays for making a small object; reading a vendor's answer, merging attribution and checking fields is done
by `events` in the emitter's thread.

The classes are not frozen, because that makes them several times dearer to make; nothing changes them all the same.

Invariants: a call that was billed gives its events, and one that was not gives none unless its reporter asks for
failures; who a call is for is decided by the closest word: the report's own fields, then the context in which it was
made, then the process; an event's own fields, where it was handed over as one, are never replaced.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypedDict

from producers.emitter.attribution import NAMES, Attribution, merged, tidy
from producers.emitter.bodies import as_mapping
from producers.emitter.chunks import KeptChunks
from producers.emitter.outcome import Outcome
from producers.vendors import UNKNOWN_MODEL, AnswerContext, read_calls, read_stream
from producers.vendors.names import vendor_name
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.usage import UsageEvent
from tokenweir.usage.event import Status
from tokenweir.usage.identity import new_event_id, vendor_event_id
from tokenweir.usage.reading import read_event_object

USAGE_NOT_STATED: Final = "usage_not_stated"
"""Error code of a stream that was billed and did not say what for: counted with no tokens, and visibly so."""


class CallFields(TypedDict, total=False):
    """What a reporter knows of a call beside its answer; fields of UsageEvent. They hold whatever the answer says."""

    tenant: str
    team: str
    project: str
    service: str
    environment: str
    user: str
    api_key: str
    session: str
    tags: Mapping[str, str]
    requested_model: str
    operation: str
    region: str
    service_tier: str
    attempt: int
    duration_ms: float
    ttft_ms: float
    streaming: bool
    status: Status
    error_code: str
    source: str


@dataclass(frozen=True, slots=True)
class Reporter:
    """What holds for all reports of one emitter. source: who reports. attribution: of the whole process."""

    source: str
    attribution: Attribution


class Report(Protocol):
    """Something recorded, to be read in the emitter's thread."""

    def events(self, reporter: Reporter) -> Sequence[UsageEvent]:
        """The billed calls that it reports; none where nothing was billed. Raises RejectedInput, WrongCall."""


@dataclass(slots=True, eq=False)
class EventReport:
    """An event, recorded within an attribution."""

    event: UsageEvent
    attribution: Attribution

    def events(self, reporter: Reporter) -> Sequence[UsageEvent]:
        return (attribute(self.event, merged(reporter.attribution, self.attribution)),)


@dataclass(slots=True, eq=False)
class AnswerReport:
    """A vendor's answer. recorded_at: Unix seconds."""

    answer: Any
    vendor: str
    surface: str | None
    fields: Mapping[str, Any]
    attribution: Attribution
    recorded_at: float

    def events(self, reporter: Reporter) -> Sequence[UsageEvent]:
        context = _context(self.fields, self.attribution, self.recorded_at, reporter)
        return _named(read_calls(self.vendor, as_mapping(self.answer), surface=self.surface, context=context))


@dataclass(slots=True, eq=False)
class ChunksReport:
    """Chunks of a stream that goes on, in order. They are no report by themselves."""

    kept: KeptChunks
    chunks: Sequence[Any]

    def keep(self) -> None:
        """Take what matters of the chunks. Never raises."""
        for chunk in self.chunks:
            self.kept.add(chunk)


@dataclass(slots=True, eq=False, kw_only=True)
class CallReport:
    """A call that has ended, with whatever it gave: an answer, a stream's chunks, a failure.

    ended_at: Unix seconds. failure: None where nothing went wrong. reports_failure: whether a call that failed
    and was not billed is to have an event.
    """

    vendor: str
    surface: str | None
    model: str
    fields: Mapping[str, Any]
    attribution: Attribution
    ended_at: float
    answer: Any = None
    kept: KeptChunks | None = None
    last_chunks: Sequence[Any] = field(default=())
    failure: Outcome | None = None
    reports_failure: bool = False

    def events(self, reporter: Reporter) -> Sequence[UsageEvent]:
        context = _context(self.fields, self.attribution, self.ended_at, reporter)
        if self.answer is not None:
            return _named(
                read_calls(self.vendor, as_mapping(self.answer), surface=self.surface, context=context)
            )
        if self.kept is not None:
            for chunk in self.last_chunks:
                self.kept.add(chunk)
            if self.kept:
                return _named(self._streamed(self.kept.chunks, context))
        if self.failure is not None and self.reports_failure:
            status, error_code = self.failure
            return (self._without_usage(context, status=status, error_code=error_code),)
        return ()

    def _streamed(self, chunks: Sequence[Mapping[str, Any]], context: AnswerContext) -> Sequence[UsageEvent]:
        try:
            events = read_stream(self.vendor, chunks, surface=self.surface, context=context)
        except (RejectedInput, WrongCall):
            events = self._from_one_chunk(chunks, context)
        if self.failure is None:
            return events
        # The stream knows that it was cut off; the caller knows by what.
        status, error_code = self.failure
        return [
            event.model_copy(update={"status": status, "error_code": error_code})
            if event.error_code in ("stream_cut_off", USAGE_NOT_STATED)
            else event
            for event in events
        ]

    def _from_one_chunk(
        self, chunks: Sequence[Mapping[str, Any]], context: AnswerContext
    ) -> tuple[UsageEvent, ...]:
        """Of a stream that no merger knows: the last chunk that reads as an answer, else a call without counts."""
        for chunk in reversed(chunks):
            try:
                events = read_calls(self.vendor, chunk, surface=self.surface, context=context)
            except (RejectedInput, WrongCall):
                continue
            return tuple(event.model_copy(update={"streaming": True}) for event in events)
        response_id = next(filter(None, map(_response_id, chunks)), "")
        named = {"id": vendor_event_id(vendor_name(self.vendor), response_id)} if response_id else {}
        return (self._without_usage(context, streaming=True, error_code=USAGE_NOT_STATED, **named),)

    def _without_usage(self, context: AnswerContext, **outcome: Any) -> UsageEvent:
        fields = {
            "id": new_event_id(context.source),
            "source": context.source,
            "time": context.now,
            "vendor": vendor_name(self.vendor),
            "model": self.model or UNKNOWN_MODEL,
            **context.fields,
            **outcome,
        }
        return read_event_object(fields, now=context.now)


def attribute(event: UsageEvent, attribution: Attribution) -> UsageEvent:
    """`event` with what it does not say itself taken from `attribution`; tags are merged by key."""
    if not attribution:
        return event
    stated = event.model_fields_set
    update = {name: value for name, value in attribution.items() if name not in stated and name != "tags"}
    if "tags" in attribution:
        update["tags"] = merged({"tags": attribution["tags"]}, {"tags": event.tags})["tags"]
    return event.model_copy(update=update)


def _context(
    fields: Mapping[str, Any], attribution: Attribution, recorded_at: float, reporter: Reporter
) -> AnswerContext:
    own = {name: value for name, value in fields.items() if value is not None}
    source = own.pop("source", None) or reporter.source
    names = merged(merged(reporter.attribution, attribution), tidy(own))
    rest = {
        name: round(value, 3) if type(value) is float else value
        for name, value in own.items()
        if name not in NAMES and name != "tags"
    }
    return AnswerContext(
        source=source, now=datetime.fromtimestamp(recorded_at, UTC), fields={**names, **rest}
    )


def _named(events: Sequence[UsageEvent]) -> Sequence[UsageEvent]:
    """An answer that names no model is one of the model that was asked for."""
    return [
        event.model_copy(update={"model": event.requested_model})
        if event.model == UNKNOWN_MODEL and event.requested_model
        else event
        for event in events
    ]


def _response_id(chunk: Mapping[str, Any]) -> str:
    for holder in (chunk, chunk.get("message"), chunk.get("response")):
        if isinstance(holder, Mapping):
            for name in ("id", "responseId", "response_id"):
                found = holder.get(name)
                if isinstance(found, str) and 0 < len(found) <= 256:
                    return found
    return ""
