"""Cohere: chat, embeddings, rankings, classifications, and its OpenAI-compatible endpoint.

Accounting: `billed_units` is what is priced, and what is counted here. `tokens` is the whole templated prompt, larger
than what is billed (recorded: 2,935 of which 2,406 are billed), and `cached_tokens` is part of that and not of the
billed input (recorded: 2,928 cached, 2,406 billed). A cached count beside the billed input would be a subset larger
than its total, and Cohere states no price for it: it is left out. Where an answer has no billed units (a host that
passes Cohere's shape on), `tokens` is counted and the cache is inside it.
Image tokens of an embedding stand beside its text tokens where they are more than the input or the text says so.
Counts are floats in Cohere's own types.
Sources: types of the package cohere 7.3 (usage.py, api_meta_billed_units.py); recorded answers; the reading of
pydantic/genai-prices, whose expectation for these bodies is the billed units.
Limits: no answer names its model.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from producers.vendors import merging
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, whole_units
from producers.vendors.registry import Merged, other_names, stream, surface

_CHAT_MARKS: Final = ("message", "text", "generations", "finish_reason", "delta")
_FINISHED_BADLY: Final = {
    "ERROR": "error",
    "ERROR_TOXIC": "filtered",
    "ERROR_LIMIT": "error",
    "TIMEOUT": "timeout",
}
_HOLDERS: Final = ("usage", "meta", "delta.usage", "response.meta")
_USAGE: Final = ("billed_units", "tokens")


def is_stated(answer: Answer) -> bool:
    return bool(_holder(answer))


def is_rerank(answer: Answer) -> bool:
    return answer.has_any("meta.billed_units.search_units", "usage.billed_units.search_units") and not (
        answer.has_any(*_CHAT_MARKS)
    )


def is_classification(answer: Answer) -> bool:
    return answer.has_any("meta.billed_units.classifications", "classifications")


def is_embedding(answer: Answer) -> bool:
    if not answer.has_any("meta") or not is_stated(answer) or answer.has_any(*_CHAT_MARKS):
        return False
    return answer.has_any("embeddings", "response_type") or not answer.has_any(
        "meta.billed_units.output_tokens", "meta.tokens.output_tokens"
    )


def is_chat(answer: Answer) -> bool:
    return is_stated(answer) and not is_event(answer)


@surface("cohere", "rerank", looks_like=is_rerank)
def read_rerank(answer: Answer) -> Reading:
    """A ranking, billed by search units."""
    return _read(answer, "rerank")


@surface("cohere", "classify", looks_like=is_classification)
def read_classification(answer: Answer) -> Reading:
    """A classification, billed by the texts that were classified."""
    return _read(answer, "classification")


@surface("cohere", "embeddings", looks_like=is_embedding)
def read_embedding(answer: Answer) -> Reading:
    """An embedding of texts, pictures or both."""
    return _read(answer, "embedding")


@surface("cohere", "chat", looks_like=is_chat)
def read_chat(answer: Answer) -> Reading:
    """Chat of either version, and generate."""
    return _read(answer, "chat")


surface("cohere", "chat_completions", looks_like=shapes.is_chat_completion)(shapes.read_chat_completion)
surface("cohere", "openai_embeddings", looks_like=shapes.is_embedding)(shapes.read_embedding)


def is_event(event: Answer) -> bool:
    kind = merging.kind_of(event) or event.body.get("event_type")
    if not isinstance(kind, str):
        return False
    return kind.startswith(("message-", "content-", "tool-", "citation-", "stream-", "text-generation"))


@stream("cohere", "chat", looks_like=is_event)
def merge_chat(events: Sequence[Answer]) -> Merged:
    """A streamed chat: `message-end` (version 2) or `stream-end` (version 1) tells usage and reason."""
    body: dict[str, Any] = {}
    usage: Any = None
    ended = False
    for event in events:
        if event.has_any("id"):
            body["id"] = event.find("id")
        kind = merging.kind_of(event) or event.body.get("event_type")
        if kind in ("message-end", "stream-end"):
            ended = True
            at = "delta" if event.has_any("delta") else "response"
            end = event.part(at) if event.has_any(at) else event
            usage = end.find("usage") or end.find("meta")
            body["finish_reason"] = end.find("finish_reason")
            body["id"] = body.get("id") or end.find("response_id")
    stated = bool(usage)
    merged = Merged({**body, "usage": usage or {"billed_units": {"input_tokens": 0}}}, ended, stated=stated)
    return merging.ended_by_error(merged, events)


stream("cohere", "chat_completions", looks_like=merging.is_chat_chunk)(merging.merge_chat)
other_names(
    "cohere",
    {
        "chat": ("chat_v2", "chat_v1", "generate"),
        "embeddings": ("embed", "embedding"),
        "classify": ("classification", "classifications"),
        "chat_completions": ("openai_compat",),
    },
)


def _holder(answer: Answer) -> str:
    """Where the usage stands; "" where there is none."""
    for at in _HOLDERS:
        if answer.has_any(at):
            held = answer.find(at)
            if isinstance(held, Mapping) and any(isinstance(held.get(name), Mapping) for name in _USAGE):
                return at
    return ""


def _read(answer: Answer, operation: str) -> Reading:
    at = _holder(answer)
    if not at:
        raise answer.refusal(
            "missing_field",
            "usage.billed_units",
            "is missing",
            hint="meta.billed_units in an embedding or a ranking",
        )
    usage = answer.part(at)
    billed = usage.part("billed_units") if usage.body.get("billed_units") else None
    finished = answer.text("finish_reason")
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id", "response_id"),
        operation=operation,
        status=_FINISHED_BADLY.get(finished, "ok"),
        counts=_billed(billed) if billed is not None else _templated(usage),
        units=_units(billed) if billed is not None else {},
    )


def _billed(billed: Answer) -> dict[str, int]:
    inputs, images, texts = (billed.count(f"{kind}_tokens") for kind in ("input", "image", "text"))
    if images > inputs or (texts and texts == inputs):
        inputs += images
    return {
        "input_tokens": max(inputs, texts + images),
        "input_image_tokens": images,
        "output_tokens": billed.count("output_tokens"),
    }


def _templated(usage: Answer) -> dict[str, int]:
    inputs = usage.count("tokens.input_tokens")
    return {
        "input_tokens": inputs,
        "cache_read_tokens": min(usage.count("cached_tokens"), inputs),
        "output_tokens": usage.count("tokens.output_tokens"),
    }


def _units(billed: Answer) -> Any:
    # A picture that was counted in tokens is not billed by the piece as well.
    pictures = 0 if billed.count("image_tokens") else billed.count("images")
    return whole_units(
        search_units=billed.count("search_units"),
        classifications=billed.count("classifications"),
        images=pictures,
        pages=billed.count("pages"),
    )
