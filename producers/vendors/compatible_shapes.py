"""Of which surface an answer of a compatible host is, told by its usage object where nothing else is left of it.

Invariants: nothing here raises for an answer of any form, except the readers; no figure is changed.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.registry import Reader

_COUNTS: Final = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")
_INPUT_ALONE: Final = ("usage.prompt_tokens", "usage.total_tokens")
_OTHER_SHAPES: Final = ("choices", "usage.input_tokens", "usage.output_tokens")
_MESSAGE: Final = (
    "stop_reason",
    "usage.cache_read_input_tokens",
    "usage.cache_creation_input_tokens",
    "usage.cache_creation",
)
_NAMED_EMBEDDING: Final = re.compile(r"embed", re.IGNORECASE)
_NAMED_RERANK: Final = re.compile(r"rerank|\brank\b", re.IGNORECASE)


def standing(answer: Answer) -> Answer:
    """The answer as it would stand by itself, with its usage under `usage`.

    Taken are an event of a Responses stream, which holds the response; a chunk whose usage stands under `x_groq` or
    within a choice; and a usage object alone.
    """
    body = answer.body
    if _states(body.get("usage")):
        return answer
    response, kind = body.get("response"), body.get("type")
    if isinstance(response, Mapping) and isinstance(kind, str) and kind.startswith("response."):
        return answer.part("response")
    elsewhere = _usage_elsewhere(body)
    if elsewhere is not None:
        return Answer({**body, "usage": elsewhere}, answer.at)
    if body.get("usage") is None and any(type(body.get(name)) is int for name in _COUNTS):
        return Answer({**body, "usage": body}, answer.at)
    return answer


def is_embedding(answer: Answer) -> bool:
    """Input alone. Some hosts state a completion of 0 beside it, and some the total alone."""
    if answer.has_any(*_OTHER_SHAPES) or not answer.has_any(*_INPUT_ALONE):
        return False
    no_output = not answer.has_any("usage.completion_tokens")
    return no_output or _is_named(answer, _NAMED_EMBEDDING) or _holds(answer, "data", "embedding")


def is_rerank(answer: Answer) -> bool:
    """A ranking by its results, its object or its model's name."""
    if answer.has_any(*_OTHER_SHAPES) or not answer.has_any(*_INPUT_ALONE):
        return False
    ranked = (
        answer.body.get("object") == "rerank"
        or _holds(answer, "results", "relevance_score")
        or _holds(answer, "rankings", "logit")
    )
    return ranked or _is_named(answer, _NAMED_RERANK)


def is_message(answer: Answer) -> bool:
    """An answer of the Anthropic shape, by what no other has; where it has none of that, both are read alike."""
    if not answer.has_any("usage.input_tokens", "usage.output_tokens"):
        return False
    return answer.body.get("type") == "message" or answer.has_any(*_MESSAGE)


def read_input_alone(operation: str) -> Reader:
    """A reader of embeddings or of a ranking: everything that is counted went in."""

    def read(answer: Answer) -> Reading:
        answer.need_any(*_INPUT_ALONE)
        return Reading(
            model=answer.text("model"),
            response_id=answer.text("id"),
            time=answer.moment("created"),
            operation=operation,
            counts={
                "input_tokens": answer.count("usage.prompt_tokens") or answer.count("usage.total_tokens"),
                "cache_read_tokens": answer.count("usage.prompt_tokens_details.cached_tokens"),
                "input_audio_tokens": answer.count("usage.prompt_tokens_details.audio_tokens"),
                "input_image_tokens": answer.count("usage.prompt_tokens_details.image_tokens"),
            },
        )

    return read


def _usage_elsewhere(body: Mapping[str, Any]) -> Any:
    own = body.get("x_groq")
    if isinstance(own, Mapping) and _states(own.get("usage")):
        return own["usage"]
    choices = body.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping) and _states(choice.get("usage")):
            return choice["usage"]
    return None


def _states(usage: Any) -> bool:
    """Whether there is anything in `usage`; what is no object is left to the reader's complaint."""
    return usage is not None and usage != {}


def _is_named(answer: Answer, pattern: re.Pattern[str]) -> bool:
    model = answer.body.get("model")
    return isinstance(model, str) and pattern.search(model) is not None


def _holds(answer: Answer, name: str, key: str) -> bool:
    items = answer.body.get(name)
    return isinstance(items, list) and any(isinstance(item, Mapping) and key in item for item in items)
