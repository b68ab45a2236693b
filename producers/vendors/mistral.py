"""Mistral: chat and FIM completions, agents' conversations, embeddings, transcriptions, OCR.

Accounting: cached tokens are inside the prompt, under one of three spellings; a thinking model's reasoning is inside
the completion and not told apart. `service_tier` stands in the usage object. Audio is billed by
`prompt_audio_seconds`, a document by `usage_info.pages_processed`, at a higher price where it was annotated.
In a conversation `total = prompt + completion + connector_tokens`: what connectors read is more input, and their calls
are billed each. A conversation's id is not the call's.
Sources: types of the package mistralai 3.7; recorded answers and streams; vercel/ai for the spellings of the cache;
docs.mistral.ai for prompt caching.
Limits: connectors of other names than the built-in ones are the unit `connector_calls`.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.compatible import Habits, compatible, merge_chat, read_chat
from producers.vendors.hosts import is_chat_chunk
from producers.vendors.registry import Merged, Sign, sign, stream

_CONNECTORS: Final = {
    "web_search": "web_searches",
    "web_search_premium": "premium_web_searches",
    "code_interpreter": "code_interpreter_calls",
    "image_generation": "images",
    "document_library": "document_searches",
}
_OTHER_CONNECTOR: Final = "connector_calls"
_SECONDS: Final = "usage.prompt_audio_seconds"
_PAGES: Final = "usage_info.pages_processed"
_MODEL: Final = re.compile(
    r"(open-)?(mistral|mixtral|magistral|codestral|devstral|ministral|pixtral|voxtral)-[a-z0-9-]*(latest|\d{4})"
)
_LONGEST_MODEL: Final = 64
_DONE: Final = ("conversation.response.done", "transcription.done", "speech.audio.done")


def _facts(answer: Answer) -> Mapping[str, Any]:
    tier = service_tier(answer.text("usage.service_tier"))
    return {"service_tier": tier} if tier else {}


def _units(answer: Answer) -> Mapping[str, Decimal]:
    seconds = answer.amount(_SECONDS) if answer.find(_SECONDS) != {} else None
    return {"audio_seconds": seconds} if seconds else {}


HABITS: Final = Habits(
    cache_read=(
        "prompt_tokens_details.cached_tokens",
        "prompt_token_details.cached_tokens",
        "num_cached_tokens",
    ),
    facts=_facts,
    units=_units,
)
"""What Mistral does otherwise than OpenAI in a chat completion."""

_read_plain = read_chat(HABITS)


def is_ocr(answer: Answer) -> bool:
    return answer.has_any(_PAGES)


def is_conversation(answer: Answer) -> bool:
    named = answer.find("object") == "conversation.response" or answer.find("type") == _DONE[0]
    return answer.has_any("usage") and (named or answer.has_any("usage.connector_tokens", "usage.connectors"))


def is_transcription(answer: Answer) -> bool:
    """Seconds of audio and no choice; an answer cut to its usage tells by the count that only transcriptions have."""
    if answer.has_any("choices") or not answer.has_any(_SECONDS):
        return False
    return answer.has_any("segments", "text", "usage.request_count") or answer.find("type") == _DONE[1]


def read_ocr(answer: Answer) -> Reading:
    """A document that was read: billed by the page."""
    answer.need_any(_PAGES)
    pages = answer.count(_PAGES)
    is_annotated = answer.has_any("document_annotation") or any(
        picture.has_any("image_annotation")
        for page in answer.parts("pages")
        for picture in page.parts("images")
    )
    return Reading(
        model=answer.text("model"),
        response_id=answer.text("id"),
        operation="ocr",
        counts={},
        units=whole_units(document_pages=pages, annotated_document_pages=pages if is_annotated else 0),
    )


def read_transcription(answer: Answer) -> Reading:
    """A transcription, or the event that ends its stream."""
    return replace(_read_plain(answer), operation="transcription")


def read_conversation(answer: Answer) -> Reading:
    """An agent's or a model's turn of a conversation, or the event that ends its stream."""
    reading = _read_plain(answer)
    usage = answer.part("usage")
    from_connectors = usage.count("connector_tokens")
    tokens_in, tokens_out = reading.counts["input_tokens"], reading.counts["output_tokens"]
    if usage.count("total_tokens") != tokens_in + tokens_out:
        tokens_in += from_connectors
    models = [output.text("model") for output in answer.parts("outputs") if output.has_any("model")]
    return replace(
        reading,
        model=reading.model or next(iter(models), ""),
        response_id=answer.text("id"),
        time=reading.time or answer.moment("created_at"),
        counts={**reading.counts, "input_tokens": tokens_in},
        units={**reading.units, **_connector_calls(usage)},
    )


def _connector_calls(usage: Answer) -> Mapping[str, Decimal]:
    calls: Counter[str] = Counter()
    connectors = usage.part("connectors") if usage.has_any("connectors") else Answer({})
    for name in connectors.body:
        # A connector's name is its owner's and may hold a dot, so that it is no path.
        count = Answer({"calls": connectors.body[name]}, connectors.at).count("calls")
        calls[_CONNECTORS.get(name, _OTHER_CONNECTOR)] += count
    return whole_units(**calls)


def merge_events(events: Sequence[Answer]) -> Merged:
    """The stream of a conversation, a transcription or of speech: its last event alone states the usage."""
    body: dict[str, Any] = {}
    for event in map(_unwrapped, events):
        body |= {name: value for name, value in event.body.items() if value is not None}
    complete = body.get("type") in _DONE
    if body.get("usage"):
        return Merged(body, complete)
    return Merged({**body, "usage": {"prompt_tokens": 0}}, complete, stated=False)


def merge_completion(events: Sequence[Answer]) -> Merged:
    """The stream of a chat completion, of the wire or of Mistral's client, which holds each chunk as `data`."""
    return merge_chat([_unwrapped(event) for event in events])


def _unwrapped(event: Answer) -> Answer:
    return event.part("data") if isinstance(event.body.get("data"), Mapping) else event


def _is_event(beginning: str) -> Sign:
    def is_event(event: Answer) -> bool:
        kind = _unwrapped(event).body.get("type")
        return isinstance(kind, str) and kind.startswith(beginning)

    return is_event


compatible(
    "mistral",
    HABITS,
    own={
        "ocr": (is_ocr, read_ocr),
        "conversations": (is_conversation, read_conversation),
        "audio_transcriptions": (is_transcription, read_transcription),
        "chat_completions": (shapes.is_chat_completion, _read_plain),
    },
    names={"chat_completions": ("fim", "agents"), "conversations": ("conversation",)},
)
stream("mistral", "conversations", looks_like=_is_event("conversation."))(merge_events)
stream("mistral", "audio_transcriptions", looks_like=_is_event("transcription."))(merge_events)
stream("mistral", "chat_completions", looks_like=lambda event: is_chat_chunk(_unwrapped(event)))(
    merge_completion
)


@sign("mistral")
def is_surely_mistral(answer: Answer) -> bool:
    """A model of Mistral's under a name with its date or `latest`; other hosts put its maker before it."""
    model = answer.find("model")
    named = isinstance(model, str) and len(model) <= _LONGEST_MODEL and _MODEL.fullmatch(model) is not None
    return named and answer.has_any("usage", _PAGES) and not answer.has_any("usage.input_tokens")
