"""Bodies that models of several makers give through Bedrock's InvokeModel alone, in a shape of their own.

Accounting: nothing here knows a cache or reasoning; input and output are told apart.
Sources: AWS's user guide, model parameters of Meta Llama, Amazon Titan (text, embeddings, images), Cohere, Stability.
Limits: Mistral's `outputs` and Cohere's `generations` state no counts; those are in the headers.
"""

from collections.abc import Callable
from typing import Final

from producers.vendors import cohere
from producers.vendors.answer import Answer, Reading, whole_units


def is_llama(answer: Answer) -> bool:
    return answer.has_any("prompt_token_count", "generation_token_count")


def read_llama(answer: Answer) -> Reading:
    """Meta Llama; of a stream the last chunk has both counts."""
    return Reading(
        model=_model(answer),
        counts={
            "input_tokens": answer.count("prompt_token_count"),
            "output_tokens": answer.count("generation_token_count"),
        },
    )


def is_titan(answer: Answer) -> bool:
    return answer.has_any("inputTextTokenCount", "totalOutputTextTokenCount")


def read_titan(answer: Answer) -> Reading:
    """Amazon Titan: text (each result counts its tokens), the last chunk of a stream, an embedding."""
    results = answer.parts("results")
    streamed = answer.has_any("totalOutputTextTokenCount", "outputText")
    filtered = any(result.find("completionReason") == "CONTENT_FILTERED" for result in (*results, answer))
    return Reading(
        model=_model(answer),
        operation="chat" if results or streamed else "embedding",
        status="filtered" if filtered else "ok",
        counts={
            "input_tokens": answer.count("inputTextTokenCount"),
            "output_tokens": answer.count("totalOutputTextTokenCount")
            or sum(result.count("tokenCount") for result in results),
        },
    )


def is_pictures(answer: Answer) -> bool:
    pictures = answer.body.get("images")
    return isinstance(pictures, list) and any(isinstance(picture, str) for picture in pictures)


def read_pictures(answer: Answer) -> Reading:
    """Titan Image, Nova Canvas, Stability: billed by the picture."""
    pictures = answer.find("images")
    if not is_pictures(answer):
        raise answer.refusal("wrong_type", "images", "holds no picture")
    return Reading(
        model=_model(answer), operation="image", counts={}, units=whole_units(images=len(pictures))
    )


_NATIVE: Final[tuple[tuple[Callable[[Answer], bool], Callable[[Answer], Reading]], ...]] = (
    (is_llama, read_llama),
    (is_titan, read_titan),
    (cohere.is_rerank, cohere.read_rerank),
    (cohere.is_embedding, cohere.read_embedding),
    (cohere.is_chat, cohere.read_chat),
    (is_pictures, read_pictures),
)


def is_native(answer: Answer) -> bool:
    return any(looks_like(answer) for looks_like, _ in _NATIVE)


def read_native(answer: Answer) -> Reading:
    """The first of the shapes that the body is of. Raises RejectedInput where it is of none."""
    for looks_like, read in _NATIVE:
        if looks_like(answer):
            return read(answer)
    raise answer.refusal("missing_field", "usage", "is missing")


def _model(answer: Answer) -> str:
    return answer.text("modelId", "model").rpartition("/")[2]
