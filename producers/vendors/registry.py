"""The vendors' readers, found by vendor and surface.

A module of this package registers the readers of one vendor when it is imported, and all modules are imported
on first use: adding a vendor is one new file.

    @surface("acme", "chat", looks_like=lambda answer: answer.has_any("usage.tokens_in"))
    def read_chat(answer: Answer) -> Reading: ...

Where no surface is named, the vendor's surfaces are tried in the order in which they were registered, and the
first whose `looks_like` says so is taken; register the special ones first.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from producers.vendors.answer import UNKNOWN_MODEL, Answer, AnswerContext, Reading
from tokenweir.errors import RejectedInput, WrongCall
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.identity import vendor_event_id
from tokenweir.usage.reading import read_event_object

Reader = Callable[[Answer], Reading]
Sign = Callable[[Answer], bool]


@dataclass(frozen=True, slots=True)
class Surface:
    """One kind of answer of one vendor."""

    name: str
    read: Reader
    looks_like: Sign


@dataclass(frozen=True, slots=True)
class Merged:
    """A streamed answer put together.

    body: what the same call would have given unstreamed, as far as it is known. complete: whether the stream came to
    its end; a stream that was cut off is counted as far as its usage is known and marked.
    """

    body: Mapping[str, Any]
    complete: bool = True


Merger = Callable[[Sequence[Answer]], Merged]


@dataclass(frozen=True, slots=True)
class Stream:
    """How the chunks of one surface of one vendor are put together."""

    surface: str
    merge: Merger
    looks_like: Sign


_SURFACES: dict[str, dict[str, Surface]] = {}
_STREAMS: dict[str, dict[str, Stream]] = {}
_SIGNS: dict[str, Sign] = {}


def surface(vendor: str, name: str, *, looks_like: Sign) -> Callable[[Reader], Reader]:
    """Registers a reader. looks_like: whether an answer of this vendor is of this surface; must not raise."""

    def register(read: Reader) -> Reader:
        _SURFACES.setdefault(vendor, {})[name] = Surface(name, read, looks_like)
        return read

    return register


def stream(vendor: str, name: str, *, looks_like: Sign) -> Callable[[Merger], Merger]:
    """Registers what merges the chunks of a streamed answer of surface `name`.

    looks_like: whether one chunk is of such a stream; one chunk that says so is enough. Must not raise.
    """

    def register(merge: Merger) -> Merger:
        _STREAMS.setdefault(vendor, {})[name] = Stream(name, merge, looks_like)
        return merge

    return register


def sign(vendor: str) -> Callable[[Sign], Sign]:
    """Registers what tells that an answer of unknown origin is this vendor's and no other's."""

    def register(tells: Sign) -> Sign:
        _SIGNS[vendor] = tells
        return tells

    return register


@cache
def load() -> None:
    """Imports every module of this package, which registers its readers."""
    package = importlib.import_module("producers.vendors")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"producers.vendors.{module.name}")


def vendors() -> list[str]:
    """The vendors that have a reader, by name."""
    load()
    return sorted(_SURFACES)


def surfaces(vendor: str) -> list[str]:
    """The surfaces that `vendor` has readers for. Raises WrongCall for a vendor without any."""
    return list(_surfaces_of(vendor))


def detect(vendor: str, body: Mapping[str, Any]) -> str:
    """The surface that an answer of `vendor` is of.

    Raises WrongCall for a vendor without readers, RejectedInput where the answer is of no surface known here.
    """
    answer = Answer(body)
    for candidate in _surfaces_of(vendor).values():
        if candidate.looks_like(answer):
            return candidate.name
    stated = ", ".join(_surfaces_of(vendor))
    usage = "usageMetadata" if vendor == "google" else "usage"
    raise RejectedInput(
        "missing_field",
        f"{usage}: this is no answer of {vendor} that states its usage",
        field=usage,
        hint=f"Known are its {stated}; an error or a chunk without usage was not billed and has no event",
    )


def guess_vendor(body: Mapping[str, Any]) -> str:
    """The vendor whose answer this surely is; "" where more than one could have sent it."""
    load()
    answer = Answer(body)
    for vendor, tells in _SIGNS.items():
        if tells(answer):
            return vendor
    return ""


def read_calls(
    vendor: str, body: Mapping[str, Any], *, surface: str | None = None, context: AnswerContext
) -> tuple[UsageEvent, ...]:
    """Every call that one answer was billed as: the answer's own first, then those within it.

    Most answers are one call. An Anthropic answer that consulted an advisor or was compacted on the way is
    several, at two models' prices; the inner ones are named after the first, `<id>/<number>`.
    body: the decoded JSON object; no more of it is needed than model and usage. Raises RejectedInput that names
    the field, WrongCall for a vendor or surface without reader.
    """
    known = _surfaces_of(vendor)
    name = surface or detect(vendor, body)
    chosen = known.get(name)
    if chosen is None:
        near = get_close_matches(name, known, 1, 0.4)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise WrongCall(f"{vendor} has no surface {name!r}", hint=f"{hint}It has {', '.join(known)}")
    return _events_of(vendor, chosen.read(Answer(body)), context)


def _events_of(vendor: str, reading: Reading, context: AnswerContext) -> tuple[UsageEvent, ...]:
    event_id = vendor_event_id(vendor, reading.response_id) if reading.response_id else context.new_id()
    first = _event(vendor, reading, event_id, context)
    if not reading.inner:
        return (first,)
    inner = (
        _event(vendor, call, f"{event_id}/{number}", context, time=reading.time)
        for number, call in enumerate(reading.inner, start=1)
    )
    return (first, *inner)


def read_stream(
    vendor: str, chunks: Sequence[Mapping[str, Any]], *, surface: str | None = None, context: AnswerContext
) -> tuple[UsageEvent, ...]:
    """Every call that one streamed answer was billed as, from its decoded chunks in order.

    The events say `streaming`; those of a stream that was cut off have status cancelled (unless the caller's fields
    or the answer say otherwise) and the counts known so far. Raises as `read_calls` does.
    """
    known = _surfaces_of(vendor)
    answers = [Answer(chunk) for chunk in chunks]
    streams = _STREAMS.get(vendor, {})
    for candidate in streams.values() if surface is None else filter(None, [streams.get(surface)]):
        if surface is None and not any(map(candidate.looks_like, answers)):
            continue
        merged = candidate.merge(answers)
        reading = known[candidate.surface].read(Answer(merged.body))
        return _events_of(vendor, _streamed(reading, merged.complete), context)
    raise RejectedInput(
        "missing_field",
        f"usage: these are no chunks of a stream of {vendor} that states its usage",
        field="usage",
        hint=f"Known are its streams of {', '.join(streams) or 'nothing'}",
    )


def _streamed(reading: Reading, complete: bool) -> Reading:
    facts = {"streaming": True, **reading.facts}
    if complete or reading.status != "ok":
        return replace(reading, facts=facts)
    return replace(
        reading, facts=facts, status="cancelled", error_code=reading.error_code or "stream_cut_off"
    )


def read_answer(
    vendor: str, body: Mapping[str, Any], *, surface: str | None = None, context: AnswerContext
) -> UsageEvent:
    """The event of an answer's own call, as `read_calls` gives it first; raises as `read_calls` does."""
    return read_calls(vendor, body, surface=surface, context=context)[0]


def _surfaces_of(vendor: str) -> dict[str, Surface]:
    load()
    known = _SURFACES.get(vendor)
    if known is None:
        near = get_close_matches(vendor, _SURFACES, 1, 0.4)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise WrongCall(f"no reader for vendor {vendor!r}", hint=f"{hint}Known are {', '.join(vendors())}")
    return known


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
    fields.update((name, count) for name, count in reading.counts.items() if count)
    for name in ("region", "service_tier", "error_code", "units"):
        value = getattr(reading, name)
        if value:
            fields[name] = value
    fields.update(reading.facts)
    fields.update(context.fields)
    return read_event_object(fields, now=context.now)
