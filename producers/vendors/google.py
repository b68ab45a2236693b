"""Google: Gemini and Vertex generateContent, embeddings, interactions; Claude and OpenAI-shaped answers on Vertex.

Accounting: `total = prompt + candidates + thoughts + toolUsePrompt`. Cached tokens are inside the prompt; thoughts
stand outside the candidates and are billed as output; what tools put into the prompt stands outside it and is
billed as input. Zeros are left out (proto3), details need not add up.
Documents are read page by page as images and are billed so; video has no field of its own here and stays in the
total. Sources: types of the package google-genai 3.4; recorded answers.
Limits: the storage of an explicit cache is billed by the hour and no answer shows it.
"""

from producers.vendors import openai_shapes as shapes
from producers.vendors.answer import Answer, Reading, service_tier, whole_units
from producers.vendors.anthropic import is_message, read_message
from producers.vendors.registry import sign, surface

_FILTERED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY")
_IMAGE_MODALITIES = ("IMAGE", "DOCUMENT")
_PER_PROMPT_SEARCH_MODELS = ("gemini-1", "gemini-2")


def is_embedding(answer: Answer) -> bool:
    return answer.has_any("usageMetadata.promptTokenCount") and (
        answer.has_any("embedding", "embeddings")
        or not answer.has_any("candidates", "modelVersion", "usageMetadata.candidatesTokenCount")
    )


def is_content(answer: Answer) -> bool:
    return answer.has_any(
        "usageMetadata.promptTokenCount",
        "usageMetadata.candidatesTokenCount",
        "usageMetadata.thoughtsTokenCount",
    )


def is_interaction(answer: Answer) -> bool:
    return answer.has_any("usage.total_input_tokens", "usage.total_output_tokens")


@surface("google", "embeddings", looks_like=is_embedding)
def read_embedding(answer: Answer) -> Reading:
    """embedContent and batchEmbedContents. The model stands in the URL, not in the answer."""
    usage = answer.part("usageMetadata")
    usage.need_any("promptTokenCount")
    return Reading(
        model=_model(answer),
        operation="embedding",
        counts={
            "input_tokens": usage.count("promptTokenCount"),
            "input_audio_tokens": _details(usage, ("AUDIO",), "promptTokensDetails", "promptTokenDetails"),
            "input_image_tokens": _details(
                usage, _IMAGE_MODALITIES, "promptTokensDetails", "promptTokenDetails"
            ),
        },
    )


@surface("google", "generate_content", looks_like=is_content)
def read_content(answer: Answer) -> Reading:
    """generateContent; each chunk of a stream carries the counts so far, so that the last one reads the same."""
    usage = answer.part("usageMetadata")
    usage.need_any("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    thoughts = usage.count("thoughtsTokenCount")
    model = _model(answer)
    return Reading(
        model=model,
        response_id=answer.text("responseId"),
        time=answer.moment("createTime"),
        service_tier=service_tier(usage.text("serviceTier", "trafficType")),
        status="filtered" if _is_filtered(answer) else "ok",
        counts={
            "input_tokens": usage.count("promptTokenCount") + usage.count("toolUsePromptTokenCount"),
            "cache_read_tokens": usage.count("cachedContentTokenCount"),
            "input_audio_tokens": _details(
                usage, ("AUDIO",), "promptTokensDetails", "toolUsePromptTokensDetails", add=True
            ),
            "input_image_tokens": _details(
                usage, _IMAGE_MODALITIES, "promptTokensDetails", "toolUsePromptTokensDetails", add=True
            ),
            "output_tokens": usage.count("candidatesTokenCount") + thoughts,
            "reasoning_tokens": thoughts,
            "output_audio_tokens": _details(usage, ("AUDIO",), "candidatesTokensDetails"),
            "output_image_tokens": _details(usage, ("IMAGE",), "candidatesTokensDetails"),
        },
        units=whole_units(web_searches=_web_searches(answer, model)),
    )


@surface("google", "interactions", looks_like=is_interaction)
def read_interaction(answer: Answer) -> Reading:
    """The Interactions API: other names, the same sums."""
    usage = answer.part("usage")
    usage.need_any("total_input_tokens", "total_output_tokens")
    thoughts = usage.count("total_thought_tokens")
    return Reading(
        model=_model(answer),
        response_id=answer.text("id"),
        time=answer.moment("updated", "created"),
        counts={
            "input_tokens": usage.count("total_input_tokens") + usage.count("total_tool_use_tokens"),
            "cache_read_tokens": usage.count("total_cached_tokens"),
            "output_tokens": usage.count("total_output_tokens") + thoughts,
            "reasoning_tokens": thoughts,
        },
    )


surface("google", "messages", looks_like=is_message)(read_message)
surface("google", "chat_completions", looks_like=shapes.is_chat_completion)(shapes.read_chat_completion)
surface("google", "responses", looks_like=shapes.is_response)(shapes.read_response)


@sign("google")
def is_surely_google(answer: Answer) -> bool:
    return answer.has_any("usageMetadata")


def _model(answer: Answer) -> str:
    # "models/gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash": the last part is the model's id.
    return answer.text("modelVersion", "model").rpartition("/")[2]


def _details(usage: Answer, modalities: tuple[str, ...], *paths: str, add: bool = False) -> int:
    """Tokens of the modalities in the lists at `paths`: of the first list that is there, or of all where `add`."""
    total = 0
    for path in paths:
        entries = usage.parts(path)
        total += sum(entry.count("tokenCount") for entry in entries if entry.find("modality") in modalities)
        if entries and not add:
            break
    return total


def _is_filtered(answer: Answer) -> bool:
    return answer.has_any("promptFeedback.blockReason") or any(
        candidate.find("finishReason") in _FILTERED for candidate in answer.parts("candidates")
    )


def _web_searches(answer: Answer, model: str) -> int:
    """Searches as they are billed: each query from Gemini 3 on, before that once for an answer that searched."""
    queries = 0
    for candidate in answer.parts("candidates"):
        stated = candidate.find("groundingMetadata.webSearchQueries")
        queries += sum(bool(query) for query in stated) if isinstance(stated, list) else 0
    return min(queries, 1) if model.startswith(_PER_PROMPT_SEARCH_MODELS) else queries
