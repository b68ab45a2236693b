"""Groq: OpenAI-compatible chat completions, compound systems, responses, transcriptions.

Accounting: cached and reasoning tokens inside. The last chunk of a stream states its usage twice, as `usage` and as
`x_groq.usage`; it is counted once. Times are in seconds, and `total_time` is without the time in the queue.
A compound system (`groq/compound`) has no price of its own: `usage_breakdown.models` states what each of its models
took, each billed at that model's price, and `usage` repeats their sum; the system is the requested model.
Sources: types of the package groq 1.7; recorded answers and streams.
A transcription states no usage; in its verbose form it tells the seconds that it is billed by.
Limits: a transcription in another form is not told. `tool_use_failed` spent tokens that its error does not tell. Calls
of built-in tools are billed each and are not a part of any usage object.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.combining import one_call_a_model
from producers.vendors.compatible import Habits, compatible, read_chat
from producers.vendors.compatible_facts import seconds_as_ms
from producers.vendors.openai_shapes import is_chat_completion
from producers.vendors.registry import sign


def _facts(answer: Answer) -> Mapping[str, Any]:
    return seconds_as_ms(answer, duration_ms="usage.total_time")


HABITS: Final = Habits(facts=_facts)
"""What Groq does otherwise than OpenAI."""

_read_plain = read_chat(HABITS)
_PARTS: Final = "usage_breakdown.models"


def read_completion(answer: Answer) -> Reading:
    """A chat completion of a model, or of a compound system: then one call a model."""
    whole = _read_plain(answer)
    parts = [_read_part(part) for part in answer.parts(_PARTS)] if answer.has_any(_PARTS) else []
    if not parts:
        return whole
    requested = {"requested_model": whole.model} if whole.model else {}
    named = replace(whole, facts={**whole.facts, **requested})
    if len({part.model for part in parts}) == 1:
        return replace(named, model=parts[0].model)
    return one_call_a_model(named, parts)


def is_transcription(answer: Answer) -> bool:
    return answer.has_any("duration") and answer.has_any("segments", "text") and not answer.has_any("usage")


def read_transcription(answer: Answer) -> Reading:
    """A transcription in its verbose form."""
    seconds = answer.amount("duration")
    if seconds is None:
        raise answer.refusal("missing_field", "duration", "is missing", hint="Ask for the verbose form")
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("x_groq.id") if answer.has_any("x_groq.id") else "",
        operation="transcription",
        counts={},
        units={"audio_seconds": seconds} if seconds else {},
    )


def _read_part(part: Answer) -> Reading:
    if not part.has_any("model"):
        raise part.refusal("missing_field", "model", "is missing")
    return replace(_read_plain(part), facts={})


compatible(
    "groq",
    HABITS,
    own={
        "audio_transcriptions": (is_transcription, read_transcription),
        "chat_completions": (is_chat_completion, read_completion),
    },
)


@sign("groq")
def is_surely_groq(answer: Answer) -> bool:
    """Only Groq puts an object of its own name beside the usage."""
    return isinstance(answer.find("x_groq"), Mapping) and answer.has_any("usage", "x_groq.usage")
