"""Hosts that answer as OpenAI does: one reader for all of them, told by a table what each does otherwise.

    compatible("acme", Habits(cache_read=("cached_tokens",)))
    compatible("acme", habits, surfaces=("chat_completions", "embeddings"))

registers the surfaces that such a host has, and their streams. Every host has all of SURFACES unless it names its own:
what a host does not speak, no answer of it looks like. A host with an interface of its own registers that first and
calls `compatible` last, so that its own is tried first.

Accounting: the habits' for chat completions; cache and reasoning inside for the Responses shape, cache outside for the
Anthropic shape. Where a host states a total, the total decides whether reasoning stands beside the completion.
An answer may be cut to its usage, or be the usage object alone, or the last event of a stream.
Limits: a host that is compatible and bills by a meter of its own needs a habit that says so.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading
from producers.vendors.anthropic import read_message
from producers.vendors.compatible_shapes import (
    is_chat,
    is_embedding,
    is_message,
    is_rerank,
    read_input_alone,
    standing,
)
from producers.vendors.compatible_streams import (
    is_chat_chunk,
    is_message_event,
    is_response_event,
    merge_chat,
    merge_message,
    merge_response,
)
from producers.vendors.openai import is_batch_line
from producers.vendors.openai_shapes import OPENAI, Habits
from producers.vendors.plain_facts import error_code
from producers.vendors.registry import Merger, Reader, Sign, stream, surface

__all__ = ["OPENAI", "SURFACES", "Habits", "any_shape", "compatible", "read_chat"]


@dataclass(frozen=True, slots=True)
class _Shape:
    """One surface that compatible hosts have: how its answers are told and read, and its streams merged."""

    name: str
    looks_like: Sign
    reader: Callable[[Habits], Reader]
    also_named: tuple[str, ...] = ()
    merge: Merger | None = None
    is_chunk: Sign | None = None


def read_chat(habits: Habits) -> Reader:
    """A reader of a host's chat completions and text completions."""

    def read(answer: Answer) -> Reading:
        reading = shapes.read_chat_completion(answer, _settled(answer, habits))
        return replace(reading, operation="rerank") if is_rerank(answer) else reading

    return read


def _plain(read: Reader) -> Callable[[Habits], Reader]:
    """`read`, with the further facts and units that a host states on every surface."""

    def reader(habits: Habits) -> Reader:
        def read_with_habits(answer: Answer) -> Reading:
            reading = read(answer)
            return replace(
                reading,
                facts={**reading.facts, **habits.facts(answer)},
                units={**reading.units, **habits.units(answer)},
            )

        return read_with_habits

    return reader


_SHAPES: Final = (
    _Shape(
        "audio_transcriptions", shapes.is_transcription, _plain(shapes.read_transcription), ("transcription",)
    ),
    _Shape("rerank", is_rerank, _plain(read_input_alone("rerank"))),
    _Shape("embeddings", is_embedding, _plain(read_input_alone("embedding"))),
    _Shape(
        "chat_completions",
        is_chat,
        read_chat,
        ("chat", "chat_stream", "completions"),
        merge_chat,
        is_chat_chunk,
    ),
    _Shape("images", shapes.is_image, _plain(shapes.read_image)),
    _Shape(
        "messages", is_message, _plain(read_message), ("anthropic_compat",), merge_message, is_message_event
    ),
    _Shape(
        "responses", shapes.is_response, _plain(shapes.read_response), (), merge_response, is_response_event
    ),
)

SURFACES: Final = tuple(shape.name for shape in _SHAPES)
"""What a compatible host may have, in the order in which an answer is tried."""


def compatible(vendor: str, habits: Habits = OPENAI, *, surfaces: Iterable[str] = SURFACES) -> None:
    """Registers the surfaces of a compatible host and their streams.

    habits: what it does otherwise; its facts and units are taken on every surface. surfaces: those of SURFACES
    that it has and that are not registered for it by other readers. `openai_compat` reads whichever of them it is, and
    `batch` a line of a batch's output file, at the batch's price.
    """
    chosen = [shape for shape in _SHAPES if shape.name in frozenset(surfaces)]
    whichever = _first_fitting(chosen, habits)
    surface(vendor, "batch", looks_like=is_batch_line)(_batch_line(whichever))
    for shape in chosen:
        read = _ended(shape.reader(habits))
        surface(vendor, shape.name, looks_like=_of_standing(shape.looks_like))(read)
        for name in shape.also_named:
            surface(vendor, name, looks_like=_never)(read)
        if shape.merge is not None and shape.is_chunk is not None:
            stream(vendor, shape.name, looks_like=shape.is_chunk)(shape.merge)
            for name in shape.also_named:
                stream(vendor, name, looks_like=_never)(shape.merge)
    surface(vendor, "openai_compat", looks_like=_never)(whichever)


def any_shape(habits: Habits = OPENAI) -> Reader:
    """A reader of whichever of SURFACES an answer is of."""
    return _first_fitting(_SHAPES, habits)


def _settled(answer: Answer, habits: Habits) -> Habits:
    """`habits`, where the total of this answer says that reasoning stands beside the completion, or within it."""
    usage = answer.part("usage")
    reasoning = usage.count(*habits.reasoning)
    total, tokens_in, tokens_out = (
        usage.count("total_tokens"),
        usage.count(*habits.input),
        usage.count(*habits.output),
    )
    if not reasoning or not total:
        return habits
    if total == tokens_in + tokens_out and reasoning <= tokens_out:
        return replace(habits, reasoning_outside=False)
    if total == tokens_in + tokens_out + reasoning:
        return replace(habits, reasoning_outside=True)
    return habits


def _first_fitting(chosen: Sequence[_Shape], habits: Habits) -> Reader:
    readers = [(shape.looks_like, shape.reader(habits)) for shape in chosen]
    otherwise = read_chat(habits)

    def read(answer: Answer) -> Reading:
        for looks_like, reader in readers:
            if looks_like(answer):
                return reader(answer)
        return otherwise(answer)

    return _ended(read)


def _batch_line(read: Reader) -> Reader:
    def read_line(answer: Answer) -> Reading:
        return replace(read(answer.part("response.body")), service_tier="batch")

    return read_line


def _of_standing(looks_like: Sign) -> Sign:
    return lambda answer: looks_like(standing(answer))


def _ended(read: Reader) -> Reader:
    """`read`, of the answer as it would stand by itself, with the error that cut it off after it began."""

    def read_ended(answer: Answer) -> Reading:
        answer = standing(answer)
        reading = read(answer)
        if reading.status != "ok":
            return reading
        error = answer.body.get("error")
        if error and isinstance(error, dict):
            code = error_code(answer, "error.code", "error.type")
            return replace(reading, status=_STATUS.get(code, "error"), error_code=code)
        if any(_reason(choice) == "error" for choice in _choices(answer)):
            return replace(reading, status="error")
        return reading

    return read_ended


def _choices(answer: Answer) -> list[Any]:
    choices = answer.body.get("choices")
    return choices if isinstance(choices, list) else []


def _reason(choice: Any) -> Any:
    return choice.get("finish_reason") if isinstance(choice, dict) else None


def _never(_: Answer) -> bool:
    return False


_STATUS: Final = {
    "429": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "408": "timeout",
    "504": "timeout",
    "524": "timeout",
}
