"""Google: Gemini and Vertex generateContent, the Live API, embeddings, batches; Claude and OpenAI's shapes on Vertex.

Accounting: `total = prompt + candidates + thoughts + toolUsePrompt`. Cached tokens are inside the prompt; thoughts
stand outside the candidates and are billed as output; what tools put into the prompt stands outside it and is
billed as input. Zeros are left out (proto3).
Details by modality need not add up; a detail larger than what it is part of is cut to it and tagged
`usage_details_mismatch`. Documents are read page by page as images and are billed so; video, and what of the cache
was audio, images or video, are units.
The Live API names the answer's counts `response…` and tells them once a turn; every turn is a call.
Sources: types of the package google-genai 3.4; recorded answers.
Limits: the storage of an explicit cache is billed by the hour and no answer shows it; a cache that was made is
therefore refused. Through the OpenAI-compatible endpoint thoughts may be in the total alone: what that leaves over
shows as `usage_total_mismatch`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from producers.vendors import merging
from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.anthropic import is_surely_message, merge_message, read_message
from producers.vendors.google_shapes import modalities, model_of
from producers.vendors.registry import Merged, other_names, sign, stream, surface

_FILTERED: Final = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY")
_PER_PROMPT_SEARCH_MODELS: Final = ("gemini-1", "gemini-2")
_COUNTS: Final = (
    "usageMetadata.promptTokenCount",
    "usageMetadata.candidatesTokenCount",
    "usageMetadata.responseTokenCount",
    "usageMetadata.thoughtsTokenCount",
    "usageMetadata.toolUsePromptTokenCount",
)
_ANSWERED: Final = ("candidates", "modelVersion", *_COUNTS[1:])
_BATCH_MARKS: Final = ("key", "custom_id", "request", "processed_time")
_OUTPUT_DETAILS: Final = ("candidatesTokensDetails", "responseTokensDetails")


def is_embedding(answer: Answer) -> bool:
    return answer.has_any("usageMetadata.promptTokenCount") and (
        answer.has_any("embedding", "embeddings") or not answer.has_any(*_ANSWERED)
    )


def is_live(answer: Answer) -> bool:
    return answer.has_any("usageMetadata.responseTokenCount", "usageMetadata.responseTokensDetails") or (
        answer.has_any(*_COUNTS) and answer.has_any("serverContent", "toolCall")
    )


def is_content(answer: Answer) -> bool:
    return answer.has_any(*_COUNTS)


def is_cache(answer: Answer) -> bool:
    name = answer.body.get("name")
    return isinstance(name, str) and "cachedContents/" in name


def is_batch_line(answer: Answer) -> bool:
    response = answer.body.get("response")
    return isinstance(response, dict) and "usageMetadata" in response and answer.has_any(*_BATCH_MARKS)


@surface("google", "cached_contents", looks_like=is_cache)
def refuse_cache(answer: Answer) -> Reading:
    """A cache is stored and billed by the hour; its object is no call and names no time that is billed."""
    raise answer.refusal(
        "wrong_type",
        "name",
        "is of a stored cache, not of a call",
        hint="Calls that read it state it as cachedContentTokenCount; its storage is on the bill alone",
    )


@surface("google", "batch", looks_like=is_batch_line)
def read_batch_line(answer: Answer) -> Reading:
    """One line of a batch's output, Gemini's or Vertex's."""
    return replace(read_content(answer.part("response")), service_tier="batch")


@surface("google", "embeddings", looks_like=is_embedding)
def read_embedding(answer: Answer) -> Reading:
    """embedContent and batchEmbedContents. The model stands in the URL, not in the answer."""
    usage = answer.part("usageMetadata")
    usage.need_any("promptTokenCount")
    total = usage.count("promptTokenCount")
    found = modalities(usage, total, 0, 0, prompt=("promptTokensDetails", "promptTokenDetails"), output=())
    return Reading(
        model=model_of(answer),
        operation="embedding",
        counts={"input_tokens": total, **found.counts},
        units=found.units,
        facts=found.facts,
        stated_total=usage.total("totalTokenCount"),
    )


@surface("google", "live", looks_like=is_live)
def read_live(answer: Answer) -> Reading:
    """One turn of a session."""
    return replace(read_content(answer), operation="realtime")


@surface("google", "generate_content", looks_like=is_content)
def read_content(answer: Answer) -> Reading:
    """generateContent; each chunk of a stream carries the counts so far, so that the last one reads the same."""
    if is_cache(answer):
        return refuse_cache(answer)
    usage = answer.part("usageMetadata")
    usage.need_any(*(path.partition(".")[2] for path in _COUNTS))
    thoughts = usage.count("thoughtsTokenCount")
    inputs = usage.count("promptTokenCount") + usage.count("toolUsePromptTokenCount")
    candidates = usage.count("candidatesTokenCount", "responseTokenCount")
    cached = usage.count("cachedContentTokenCount")
    found = modalities(usage, inputs, candidates, cached, output=_OUTPUT_DETAILS)
    model = model_of(answer)
    return Reading(
        model=model,
        response_id=answer.text("responseId"),
        time=answer.moment("createTime"),
        service_tier=service_tier(usage.text("serviceTier", "trafficType")),
        status="filtered" if _is_filtered(answer) else "ok",
        counts={
            "input_tokens": inputs,
            "cache_read_tokens": cached,
            "output_tokens": candidates + thoughts,
            "reasoning_tokens": thoughts,
            **found.counts,
        },
        units={**found.units, **whole_units(web_searches=_web_searches(answer, model))},
        facts=found.facts,
        stated_total=usage.total("totalTokenCount"),
    )


surface("google", "messages", looks_like=is_surely_message)(read_message)
surface("google", "chat_completions", looks_like=shapes.is_chat_completion)(shapes.read_chat_completion)
surface("google", "responses", looks_like=shapes.is_response)(shapes.read_response)


def is_chunk(chunk: Answer) -> bool:
    told = isinstance(chunk.body.get("candidates"), list) or chunk.has_any("usageMetadata", "promptFeedback")
    return told and not is_cache(chunk)


@stream("google", "live", looks_like=lambda message: message.has_any("serverContent", "setupComplete"))
def merge_live(messages: Sequence[Answer]) -> Merged:
    """The turns of a session, each with the last usage that it told; one that was going on is counted as cut off."""
    turns: list[Merged] = []
    usage: Any = None
    speaking = False
    for message in messages:
        told = message.body.get("usageMetadata")
        usage = told or usage
        speaking = not told and (speaking or message.has_any("serverContent.modelTurn"))
        if usage and message.has_any("serverContent.turnComplete"):
            turns.append(Merged({"usageMetadata": usage}))
            usage, speaking = None, False
    if usage:
        turns.append(Merged({"usageMetadata": usage}, complete=not speaking))
    elif speaking or not turns:
        turns.append(Merged({"usageMetadata": {"promptTokenCount": 0}}, complete=False, stated=False))
    return replace(turns[0], further=turns[1:])


@stream("google", "generate_content", looks_like=is_chunk)
def merge_content(chunks: Sequence[Answer]) -> Merged:
    """A streamed answer: the last counts, and every reason why a candidate ended."""
    body: dict[str, Any] = {}
    usage: Any = None
    candidates: list[Any] = []
    for chunk in chunks:
        body |= {name: chunk.body[name] for name in _KEPT if chunk.body.get(name)}
        usage = chunk.body.get("usageMetadata") or usage
        candidates += (
            {name: found for name in ("finishReason", "groundingMetadata") if (found := one.body.get(name))}
            for one in chunk.parts("candidates")
        )
    ended = any("finishReason" in one for one in candidates) or "promptFeedback" in body
    stated = bool(usage)
    body |= {"candidates": candidates, "usageMetadata": usage or {"promptTokenCount": 0}}
    return merging.ended_by_error(Merged(body, ended, stated=stated), chunks)


_KEPT: Final = ("modelVersion", "model", "responseId", "createTime", "promptFeedback")

stream("google", "messages", looks_like=merging.is_message_event)(merge_message)
stream("google", "chat_completions", looks_like=merging.is_chat_chunk)(merging.merge_chat)
other_names(
    "google",
    {
        "generate_content": ("chat", "content", "generateContent", "streamGenerateContent"),
        "embeddings": ("embedding", "embed", "embed_content"),
        "chat_completions": ("openai_compat",),
        "messages": ("anthropic",),
    },
)


@sign("google")
def is_surely_google(answer: Answer) -> bool:
    return answer.has_any("usageMetadata")


def _is_filtered(answer: Answer) -> bool:
    return answer.has_any("promptFeedback.blockReason") or any(
        candidate.find("finishReason") in _FILTERED for candidate in answer.parts("candidates")
    )


def _web_searches(answer: Answer, model: str) -> int:
    """Searches as they are billed: each query from Gemini 3 on, before that once for an answer that searched."""
    queries: list[Any] = []
    for candidate in answer.parts("candidates"):
        if "groundingMetadata" in candidate.body:
            stated = candidate.find("groundingMetadata.webSearchQueries")
            queries += stated if isinstance(stated, list) else ()
    if not queries:
        return 0
    # A streamed answer tells its queries in several chunks over and over.
    different = len({query for query in queries if isinstance(query, str) and query})
    return min(different, 1) if model.startswith(_PER_PROMPT_SEARCH_MODELS) else different
