"""OpenAI: chat completions, responses, embeddings, images, transcriptions, realtime, results of a batch."""

from dataclasses import replace

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading
from producers.vendors.registry import Reader, Sign, sign, surface

_OPENAI_MODELS = ("gpt-", "chatgpt-", "o1", "o3", "o4", "ft:", "text-embedding-", "codex-", "computer-use-")

DIRECT: tuple[tuple[str, Sign, Reader], ...] = (
    ("realtime", shapes.is_realtime, shapes.read_realtime),
    ("audio_transcriptions", shapes.is_transcription, shapes.read_transcription),
    ("chat_completions", shapes.is_chat_completion, shapes.read_chat_completion),
    ("embeddings", shapes.is_embedding, shapes.read_embedding),
    ("images", shapes.is_image, shapes.read_image),
    ("responses", shapes.is_response, shapes.read_response),
)
"""Surfaces whose answer stands by itself: name, how it is told, its reader; the special ones first."""


def is_batch_line(answer: Answer) -> bool:
    return answer.has_any("custom_id") and answer.has_any("response.body")


def read_batch_line(answer: Answer) -> Reading:
    """One line of a batch's output file. Nothing in it says that it costs half, so the tier is set here."""
    body = answer.part("response.body")
    for _, looks_like, read in DIRECT:
        if looks_like(body):
            return replace(read(body), service_tier="batch")
    raise body.refusal("missing_field", "usage", "is missing", hint="A request that failed has none")


def is_batch_object(answer: Answer) -> bool:
    return bool(answer.find("object") == "batch")


def refuse_batch_object(answer: Answer) -> Reading:
    """A batch's own object sums up its lines; counting it would count them twice."""
    raise answer.refusal(
        "wrong_type", "object", "is a whole batch, not a call", hint="Read the lines of its output file"
    )


for _vendor in ("openai", "azure"):
    surface(_vendor, "batch", looks_like=is_batch_line)(read_batch_line)
    surface(_vendor, "batch_object", looks_like=is_batch_object)(refuse_batch_object)
    for _name, _looks_like, _read in DIRECT:
        surface(_vendor, _name, looks_like=_looks_like)(_read)


@sign("azure")
def is_surely_azure(answer: Answer) -> bool:
    """Only Azure reports what its content filters thought of the prompt."""
    return answer.has_any("prompt_filter_results")


@sign("openai")
def is_surely_openai(answer: Answer) -> bool:
    """OpenAI's shape, and a model that OpenAI makes: many other hosts send the same shape."""
    at = "response.body." if is_batch_line(answer) else ""
    if not answer.has_any(f"{at}usage"):
        return False
    model = answer.find(f"{at}model")
    return isinstance(model, str) and model.startswith(_OPENAI_MODELS)
