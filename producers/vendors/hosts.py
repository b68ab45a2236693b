"""The surfaces that hosts compatible with OpenAI, and often with Anthropic too, have in common, registered at once.

A vendor's module says how its host's chat completions are read and gets its surfaces: chat completions, embeddings,
rerank, messages, responses, lines of a batch, and the merging of streamed chat completions and messages. Where an
answer is cut to its usage, the surface follows from the usage object.

Accounting: of the OpenAI shapes, cache and reasoning inside; of the Anthropic shape, the cache outside.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer
from producers.vendors.combining import batch_line, first_fitting, never
from producers.vendors.merging import is_message_event, is_response_event, merge_message, merge_response
from producers.vendors.openai import is_batch_line
from producers.vendors.registry import Merged, Reader, Sign, other_names, stream, surface

Shapes = Mapping[str, tuple[Sign, Reader]]
"""Surfaces by name, in the order in which they are tried: how an answer of it is told, and its reader."""

_NO_REASON: Final = (None, "", "null")


def register(vendor: str, known: Shapes, *, names: Mapping[str, Sequence[str]] | None = None) -> None:
    """Registers the surfaces of a host and what its streams are.

    known: with `chat_completions`, `messages` and `responses`. names: further names of surfaces, by the surface's own;
    `openai_compat`, which is any of them, and `anthropic_compat` are there anyway.
    """
    surface(vendor, "batch", looks_like=is_batch_line)(batch_line(*known.values()))
    for name, (looks_like, read) in known.items():
        surface(vendor, name, looks_like=looks_like)(read)
    for name, looks_like, merge in _STREAMS:
        if name in known:
            stream(vendor, name, looks_like=looks_like)(merge)
    any_shape = first_fitting(
        *known.values(), (shapes.is_response, known["responses"][1]), known["chat_completions"]
    )
    surface(vendor, "openai_compat", looks_like=never)(any_shape)
    stream(vendor, "openai_compat", looks_like=never)(merge_chat)
    other_names(vendor, {"messages": ("anthropic_compat",)})
    other_names(vendor, names or {})


def is_chat_chunk(chunk: Answer) -> bool:
    return isinstance(chunk.find("choices"), list) or chunk.find("object") == "chat.completion.chunk"


def merge_chat(chunks: Sequence[Answer]) -> Merged:
    """A streamed chat completion: the last usage told, be it in a chunk of its own, on the last chunk with content, on
    every chunk, or within a choice.

    The stream came to its end where a choice tells why it finished; the usage alone does not say so.
    """
    body: dict[str, Any] = {}
    usage: Any = None
    reasons: list[Any] = []
    for chunk in chunks:
        body |= {name: value for name, value in chunk.body.items() if value not in (None, "", [])}
        told = chunk.find("usage")
        for choice in chunk.parts("choices"):
            told = told or choice.find("usage")
            if choice.find("finish_reason") not in _NO_REASON:
                reasons.append(choice.find("finish_reason"))
        usage = told or usage
    body |= {"usage": usage, "choices": [{"finish_reason": reason} for reason in reasons]}
    return Merged(body, bool(reasons))


_STREAMS: Final = (
    ("chat_completions", is_chat_chunk, merge_chat),
    ("messages", is_message_event, merge_message),
    ("responses", is_response_event, merge_response),
)
"""The streams of a compatible host: surface, how a chunk of it is told, what merges them."""
