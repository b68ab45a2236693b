"""Hosts that answer as OpenAI does, and often as Anthropic does too: one reader, and what each host does otherwise.

    compatible("acme", Habits(cache_read=("cached_tokens",)))

registers every surface that such a host can have, and their streams: what a host does not speak, no answer of it looks
like. A surface of a host's own is registered before, so that it is tried first, or handed over in `own`.

Accounting: the habits' for chat completions; cache and reasoning inside for the Responses shape, cache outside for
the Anthropic shape. Where an answer states a total, that decides whether reasoning stands beside the completion.
Wherever a stream states usage more than once (in every chunk, twice in the last, in a chunk of its own), the last
statement is the whole; nothing is added up.
An answer may be cut to model and usage, be the usage object alone, or be the last event of a stream.
Limits: a host that bills by a meter of its own needs a habit that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from producers.vendors import hosts
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading
from producers.vendors.anthropic import read_message
from producers.vendors.combining import never
from producers.vendors.compatible_shapes import (
    is_embedding,
    is_message,
    is_rerank,
    read_input_alone,
    standing,
)
from producers.vendors.openai_shapes import OPENAI, Habits
from producers.vendors.plain_facts import error_code
from producers.vendors.registry import Merged, Reader, Sign, other_names, stream

__all__ = ["OPENAI", "Habits", "compatible", "merge_chat", "read_chat", "with_habits"]

_CHAT: Final = "chat_completions"
_WHICHEVER: Final = "openai_compat"
"""Reads whichever surface an answer is of; `chat` and `completions` are other names of it."""
_STATUS: Final = {
    "429": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "408": "timeout",
    "504": "timeout",
    "524": "timeout",
}
"""By the code of an error that cut an answer off after it began; every other code is an error."""


def compatible(
    vendor: str,
    habits: Habits = OPENAI,
    *,
    own: Mapping[str, tuple[Sign, Reader]] | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Registers the surfaces of a compatible host, their streams, and the lines of its batches.

    habits: what it does otherwise; its facts and units are taken on every surface. own: surfaces that it reads in
    its own way, in place of those of their names or beside them; they are tried in the order of the compatible ones,
    further ones first. names: further names of surfaces, by the surface's own.
    """
    own = own or {}
    common: dict[str, tuple[Sign, Reader]] = {
        "audio_transcriptions": (shapes.is_transcription, with_habits(shapes.read_transcription, habits)),
        "rerank": (is_rerank, with_habits(read_input_alone("rerank"), habits)),
        "embeddings": (is_embedding, with_habits(read_input_alone("embedding"), habits)),
        "chat_completions": (shapes.is_chat_completion, read_chat(habits)),
        "images": (shapes.is_image, with_habits(shapes.read_image, habits)),
        "messages": (is_message, with_habits(read_message, habits)),
        "responses": (shapes.is_response, with_habits(shapes.read_response, habits)),
    }
    further = {name: shape for name, shape in own.items() if name not in common}
    known = {
        name: (_of_standing(looks_like), _of_whole(read))
        for name, (looks_like, read) in {**further, **common, **own}.items()
    }
    hosts.register(vendor, known, names=names)
    other_names(vendor, {_WHICHEVER: ("chat", "completions"), "audio_transcriptions": ("transcription",)})
    stream(vendor, _CHAT, looks_like=hosts.is_chat_chunk)(merge_chat)
    stream(vendor, _WHICHEVER, looks_like=never)(merge_chat)


def read_chat(habits: Habits) -> Reader:
    """A reader of a host's chat completions and text completions."""
    return lambda answer: shapes.read_chat_completion(answer, _settled(answer, habits))


def with_habits(read: Reader, habits: Habits) -> Reader:
    """`read`, with the facts and units that a host states on every surface."""

    def read_more(answer: Answer) -> Reading:
        reading = read(answer)
        return replace(
            reading,
            facts={**reading.facts, **habits.facts(answer)},
            units={**reading.units, **habits.units(answer)},
        )

    return read_more


def merge_chat(chunks: Sequence[Answer]) -> Merged:
    """A streamed chat completion or text completion.

    It came to its end where a choice tells why it finished, or where a chunk without choices states the usage. One that
    states none was billed for what is not known: it is counted as 0 and says so.
    """
    answers = [standing(chunk) for chunk in chunks]
    merged = hosts.merge_chat(answers)
    own_chunk = any(answer.has_any("usage.completion_tokens") and not _choices(answer) for answer in answers)
    if not merged.body.get("usage"):
        return Merged({**merged.body, "usage": {"prompt_tokens": 0}}, merged.complete, stated=False)
    return Merged(merged.body, merged.complete or own_chunk)


def _settled(answer: Answer, habits: Habits) -> Habits:
    """`habits`, where the total of this answer says that reasoning stands beside the completion, or within it."""
    usage = answer.part("usage")
    reasoning, total = usage.count(*habits.reasoning), usage.count("total_tokens")
    if not reasoning or not total:
        return habits
    tokens_in, tokens_out = usage.count(*habits.input), usage.count(*habits.output)
    if total == tokens_in + tokens_out and reasoning <= tokens_out:
        return replace(habits, reasoning_outside=False)
    if total == tokens_in + tokens_out + reasoning:
        return replace(habits, reasoning_outside=True)
    return habits


def _of_standing(looks_like: Sign) -> Sign:
    return lambda answer: looks_like(standing(answer))


def _of_whole(read: Reader) -> Reader:
    """`read`, of the answer as it would stand by itself, with the error that cut it off after it began."""

    def read_whole(answer: Answer) -> Reading:
        answer = standing(answer)
        reading = read(answer)
        if reading.status != "ok":
            return reading
        error = answer.body.get("error")
        if isinstance(error, Mapping) and error:
            code = error_code(answer, "error.code", "error.type")
            return replace(reading, status=_STATUS.get(code, "error"), error_code=code)
        if any(
            isinstance(choice, Mapping) and choice.get("finish_reason") == "error"
            for choice in _choices(answer)
        ):
            return replace(reading, status="error")
        return reading

    return read_whole


def _choices(answer: Answer) -> list[Any]:
    choices = answer.body.get("choices")
    return choices if isinstance(choices, list) else []
