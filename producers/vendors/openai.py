"""OpenAI: chat completions, responses, embeddings, pictures, videos, audio, realtime, their streams, batches.

Accounting: `total = input + output`; the cache is inside the input, reasoning inside the output
(`producers.vendors.openai_shapes`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from producers.vendors import merging
from producers.vendors import openai_media as media
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading
from producers.vendors.registry import Merger, Reader, Sign, other_names, sign, stream, surface

_OPENAI_MODELS: Final = (
    "gpt-",
    "chatgpt-",
    "o1",
    "o3",
    "o4",
    "ft:",
    "text-embedding-",
    "codex-",
    "computer-use-",
    "sora-",
    "whisper-",
    "dall-e-",
)

Shapes = Mapping[str, tuple[Sign, Reader]]

DIRECT: Final[Shapes] = {
    "audio_transcriptions": (shapes.is_transcription, media.read_transcript),
    "realtime": (shapes.is_realtime, media.read_session_event),
    "chat_completions": (shapes.is_chat_completion, shapes.read_chat_completion),
    "embeddings": (shapes.is_embedding, shapes.read_embedding),
    "speech": (media.is_speech, media.read_speech),
    "images": (shapes.is_image, media.read_pictures),
    "responses": (shapes.is_response, shapes.read_response),
    "videos": (media.is_video, media.read_video),
}
"""Surfaces whose answer stands by itself: how it is told, its reader; the special ones first."""

STREAMS: Final[Mapping[str, tuple[Sign, Merger]]] = {
    "realtime": (media.is_session_event, media.merge_session),
    "images": (media.is_picture_event, media.merge_pictures),
    "audio_transcriptions": (media.is_transcript_event, media.merge_transcript),
    "speech": (media.is_speech_event, media.merge_speech),
    "responses": (merging.is_response_event, merging.merge_response),
    "chat_completions": (merging.is_chat_chunk, merging.merge_chat),
}

OTHER_NAMES: Final = {
    "chat_completions": ("chat", "chat_completion", "completions"),
    "responses": ("response",),
    "embeddings": ("embedding", "embed"),
    "images": ("image", "image_generation", "images_edits", "image_edits"),
    "audio_transcriptions": ("transcription", "transcriptions", "audio_translations"),
    "speech": ("audio_speech", "tts"),
    "videos": ("video", "videos_sora"),
}


def is_batch_line(answer: Answer) -> bool:
    return answer.has_any("custom_id") and answer.has_any("response.body")


def is_batch_object(answer: Answer) -> bool:
    return bool(answer.find("object") == "batch")


def refuse_batch_object(answer: Answer) -> Reading:
    """A batch's own object sums up its lines; counting it would count them twice."""
    raise answer.refusal(
        "wrong_type", "object", "is a whole batch, not a call", hint="Read the lines of its output file"
    )


def batch_reader(known: Shapes) -> Reader:
    """A reader of one line of a batch's output file. Nothing in it says that it costs half, so the tier is set."""

    def read_batch_line(answer: Answer) -> Reading:
        if is_batch_object(answer):
            return refuse_batch_object(answer)
        body = answer.part("response.body")
        for looks_like, read in known.values():
            if looks_like(body):
                return replace(read(body), service_tier="batch")
        raise body.refusal("missing_field", "usage", "is missing", hint="A request that failed has none")

    return read_batch_line


def register(vendor: str, known: Shapes) -> None:
    """Registers `known` as the surfaces of a vendor, with OpenAI's streams, batches and other names of them."""
    surface(vendor, "batch", looks_like=is_batch_line)(batch_reader(known))
    surface(vendor, "batch_object", looks_like=is_batch_object)(refuse_batch_object)
    for name, (looks_like, read) in known.items():
        surface(vendor, name, looks_like=looks_like)(read)
    # Pictures and transcripts without usage are told last, by what no answer with usage has.
    surface(vendor, "plain_images", looks_like=media.is_plain_picture)(media.read_pictures)
    surface(vendor, "timed_transcriptions", looks_like=media.is_timed_transcript)(media.read_transcript)
    for name, (looks_like, merge) in STREAMS.items():
        stream(vendor, name, looks_like=looks_like)(merge)
    other_names(vendor, OTHER_NAMES)


register("openai", DIRECT)


@sign("openai")
def is_surely_openai(answer: Answer) -> bool:
    """OpenAI's shape, and a model that OpenAI makes: many other hosts send the same shape, Azure with a mark of its
    own."""
    if answer.has_any("prompt_filter_results"):
        return False
    at = "response.body." if is_batch_line(answer) else ""
    if not answer.has_any(f"{at}usage") and not media.is_video(answer):
        return False
    model = answer.find(f"{at}model") if answer.has_any(f"{at}model") else None
    return isinstance(model, str) and model.startswith(_OPENAI_MODELS)
