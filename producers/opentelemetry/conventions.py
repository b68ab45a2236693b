"""The names by which instrumentations say the same thing of a call, the best first.

Sources, in this order in most rows:
- OpenTelemetry's GenAI conventions as they are (package opentelemetry-semantic-conventions 0.66b2), were
  (`gen_ai.system`, `gen_ai.usage.prompt_tokens`) and will be (`cache_write` for `cache_creation`);
- openllmetry (traceloop/openllmetry, `gen_ai.usage.cache_read_input_tokens`, `llm.usage.*`, `llm.request.type`);
- Sentry (getsentry/sentry-docs, "AI agents module", `gen_ai.usage.input_tokens.cached`), which OpenRouter's
  broadcast shares (`gen_ai.usage.total_cost`);
- LiteLLM (`llm.request.type` with its own call types, `gen_ai.cost.total_cost`);
- pydantic-ai (`gen_ai.usage.details.*`), Strands (`gen_ai.usage.cache_write_input_tokens`);
- OpenInference (Arize-ai/openinference, `llm.token_count.*`, `openinference.span.kind`);
- the Vercel AI SDK (vercel/ai, `ai.usage.*`, `ai.response.*`, `ai.operationId`).
"""

from itertools import chain
from typing import Final

TOKENS: Final[dict[str, tuple[str, ...]]] = {
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "ai.usage.tokens",
    ),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.details.cache_read_tokens",
        "llm.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.input_tokens.cache_write",
        "gen_ai.usage.details.cache_write_tokens",
        "llm.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ),
    "input_audio_tokens": (
        "gen_ai.usage.audio.input_tokens",
        "gen_ai.usage.details.input_audio_tokens",
        "llm.token_count.prompt_details.audio",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.output_tokens.reasoning",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.outputTokenDetails.reasoningTokens",
        "ai.usage.reasoningTokens",
    ),
    "output_audio_tokens": (
        "gen_ai.usage.audio.output_tokens",
        "gen_ai.usage.details.output_audio_tokens",
        "llm.token_count.completion_details.audio",
    ),
}
"""Our token fields, and the attributes that state them."""

VERCEL_INCLUSIVE: Final = (
    "ai.usage.inputTokenDetails.noCacheTokens",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
)
"""Stated by the Vercel AI SDK from version 6 on, whose input count includes the cache for every provider."""

OPERATION: Final = ("gen_ai.operation.name", "llm.request.type", "openinference.span.kind", "ai.operationId")
PROVIDER: Final = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
RESPONSE_MODEL: Final = ("gen_ai.response.model", "ai.response.model", "llm.response.model", "llm.model_name")
REQUEST_MODEL: Final = (
    "gen_ai.request.model",
    "ai.model.id",
    "llm.request.model",
    "embedding.model_name",
    "reranker.model_name",
)
RESPONSE_ID: Final = ("gen_ai.response.id", "ai.response.id")
SERVER: Final = ("server.address",)
FINISH: Final = ("gen_ai.response.finish_reasons", "ai.response.finishReason")
TIER: Final = ("openai.response.service_tier", "gen_ai.openai.response.service_tier")
ERROR: Final = ("error.type",)
COST: Final = (
    "gen_ai.usage.cost",
    "gen_ai.usage.total_cost",
    "gen_ai.cost.total_cost",
    "llm.cost.total",
    "operation.cost",
)
TTFT_SECONDS: Final = ("gen_ai.response.time_to_first_chunk",)
TTFT_MS: Final = ("ai.response.msToFirstChunk", "gen_ai.server.time_to_first_token")
STREAMING: Final = ("gen_ai.request.stream", "llm.is_streaming", "gen_ai.is_streaming")

LABELS: Final[dict[str, tuple[str, ...]]] = {
    "team": ("tokenweir.team",),
    "project": ("tokenweir.project",),
    "service": ("tokenweir.service", "service.name"),
    "environment": ("tokenweir.environment", "deployment.environment.name", "deployment.environment"),
    "user": ("tokenweir.user", "user.id", "enduser.id"),
    "api_key": ("tokenweir.api_key",),
    "session": ("tokenweir.session", "gen_ai.conversation.id", "session.id"),
    "tenant": ("tokenweir.tenant",),
}
"""Our attribution fields, and the attributes that state them, of the span first and of its resource else."""

REGION: Final = ("tokenweir.region", "cloud.region")
"""Of the span alone: a resource's `cloud.region` is where the application runs, not where the model does."""

LEAVES: Final[dict[str, str]] = {
    "chat": "chat",
    "generate_content": "chat",
    "text_completion": "chat",
    "completion": "chat",
    "responses": "chat",
    "messages": "chat",
    "llm": "chat",
    "acompletion": "chat",
    "atext_completion": "chat",
    "aresponses": "chat",
    "anthropic_messages": "chat",
    "aembedding": "embedding",
    "arerank": "rerank",
    "aimage_generation": "image",
    "embeddings": "embedding",
    "embedding": "embedding",
    "rerank": "rerank",
    "reranker": "rerank",
    "image_generation": "image",
    "speech": "speech",
    "transcription": "transcription",
    "dogenerate": "chat",
    "dostream": "chat",
    "doembed": "embedding",
    "dorerank": "rerank",
}
"""Operations that ask a model once, in lower case, and our names of them. All others are made up of such."""

TAG_PREFIX: Final = "tokenweir.tag."

SPAN_ATTRIBUTES: Final = frozenset(
    chain(
        chain.from_iterable(TOKENS.values()),
        chain.from_iterable(LABELS.values()),
        *(OPERATION, PROVIDER, RESPONSE_MODEL, REQUEST_MODEL, RESPONSE_ID, SERVER, FINISH, TIER, ERROR, COST),
        *(TTFT_SECONDS, TTFT_MS, STREAMING),
        VERCEL_INCLUSIVE,
        REGION,
    )
)
"""Everything of a span that is read; the rest may hold prompts and answers."""


def is_span_attribute(name: str) -> bool:
    """Whether an attribute of a span or of its resource is read."""
    return name in SPAN_ATTRIBUTES or name.startswith(TAG_PREFIX)
