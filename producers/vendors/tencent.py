"""Tencent: Hunyuan's own API 3.0, its OpenAI-compatible interface, and TokenHub.

Accounting: `TotalTokens = PromptTokens + CompletionTokens`, and Hunyuan bills by the total, so that nothing may be
added to it; cached tokens are inside the prompt (TokenHub's documentation calls them a part of the input), and
Hunyuan's SDK types their count as a string. Embeddings state the prompt and the total.
An API 3.0 answer stands in a `Response` envelope, a frame of its stream without one; neither names the model. An
error is `Response.Error` with HTTP 200 and states no usage; `ErrorMsg` ends a stream that began well.
TokenHub speaks OpenAI's chat and responses and Anthropic's messages, read as those are.
Sources: types of tencentcloud-sdk-python-hunyuan 3.1.180 (v20230901) and of its tokenhub twin 3.1.177.
Limits: searches are billed each, and no answer says how often it searched.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from producers.vendors.answer import Answer, Reading
from producers.vendors.compatible import compatible
from producers.vendors.plain_facts import error_code
from producers.vendors.registry import Merged, other_names, sign, stream, surface

_COUNTS: Final = ("PromptTokens", "CompletionTokens", "TotalTokens")
_MOST_DIGITS: Final = 12
_FILTERED: Final = ("sensitive", "content_filter")
_LIMITED: Final = ("LimitExceeded", "RequestLimitExceeded", "ResourceInsufficient")


def is_native(answer: Answer) -> bool:
    """An answer of API 3.0, a frame of its stream, or its usage object alone under either spelling."""
    return any(answer.has_any(*(f"{at}.{name}" for name in _COUNTS)) for at in _usage_paths())


@surface("tencent", "native_api3", looks_like=is_native)
def read_native(answer: Answer) -> Reading:
    """ChatCompletions, ChatTranslations, ImageQuestion, GetEmbedding; a frame of a stream tells the usage so far."""
    body = answer.part("Response") if isinstance(answer.find("Response"), Mapping) else answer
    usage = body.part("usage" if body.find("Usage") is None and body.has_any("usage") else "Usage")
    usage.need_any(*_COUNTS)
    is_embedding = not usage.has_any("CompletionTokens") and not body.has_any("Choices")
    tokens_in, tokens_out = usage.count("PromptTokens"), usage.count("CompletionTokens")
    code = error_code(body, "ErrorMsg.Code", "Error.Code") if body.has_any("ErrorMsg", "Error") else ""
    return Reading(
        model=body.text("Model", "model") or answer.text("model"),
        response_id=body.text("Id", "RequestId"),
        time=body.moment("Created"),
        operation="embedding" if is_embedding else "chat",
        stated_total=usage.count("TotalTokens"),
        status=_status(body, code),
        error_code=code,
        counts={
            "input_tokens": tokens_in if tokens_in or tokens_out else usage.count("TotalTokens"),
            "cache_read_tokens": _digits(usage, "PromptTokensDetails.CachedTokens"),
            "output_tokens": tokens_out,
        },
    )


@stream("tencent", "native_api3", looks_like=lambda chunk: chunk.has_any("Choices", "Usage", "ErrorMsg"))
def merge_native(chunks: Sequence[Answer]) -> Merged:
    """The last frame with usage, with what other frames say of the call; the counts are cumulative."""
    body: dict[str, Any] = {}
    complete = False
    for chunk in chunks:
        told = chunk.find("Response") if isinstance(chunk.find("Response"), Mapping) else chunk.body
        body |= {name: value for name, value in told.items() if value}
        complete = complete or any(choice.find("FinishReason") for choice in chunk.parts("Choices"))
    stated = is_native(Answer(body))
    if not stated:
        body["Usage"] = {"TotalTokens": 0}
    return Merged(body, complete, stated=stated)


def _usage_paths() -> tuple[str, ...]:
    return ("Response.Usage", "Usage", "usage")


def _status(body: Answer, code: str) -> str:
    if body.has_any("ErrorMsg", "Error"):
        return "rate_limited" if code.startswith(_LIMITED) else "error"
    filtered = any(choice.find("FinishReason") in _FILTERED for choice in body.parts("Choices"))
    return "filtered" if filtered else "ok"


def _digits(usage: Answer, path: str) -> int:
    """A count that may come as a string of digits."""
    value = usage.find(path)
    if not isinstance(value, str):
        return usage.count(path)
    if value and not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise usage.refusal("wrong_type", path, "is not a whole number")
    return int(value or 0)


compatible("tencent", names={"chat_completions": ("chat", "tokenhub", "hunyuan_openai_compat")})
other_names("tencent", {"native_api3": ("native", "hunyuan_native")})


@sign("tencent")
def is_surely_tencent(answer: Answer) -> bool:
    """The envelope of API 3.0 with counts in its spelling."""
    return any(answer.has_any(f"Response.Usage.{name}") for name in _COUNTS)
