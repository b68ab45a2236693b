"""Our field names beside OpenTelemetry's GenAI attribute names: the one place that maps them.

Source: open-telemetry/semantic-conventions-genai (status: Development), read November 2026. Only attributes that
mean the same thing are here: OpenTelemetry's input count includes cached tokens, as ours does.
"""

from typing import Final

ATTRIBUTE_OF_FIELD: Final[dict[str, str]] = {
    "vendor": "gen_ai.provider.name",
    "model": "gen_ai.response.model",
    "requested_model": "gen_ai.request.model",
    "operation": "gen_ai.operation.name",
    "input_tokens": "gen_ai.usage.input_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "session": "gen_ai.conversation.id",
    "service": "service.name",
    "environment": "deployment.environment.name",
    "error_code": "error.type",
    "region": "cloud.region",
    "user": "user.id",
}

FIELD_OF_ATTRIBUTE: Final[dict[str, str]] = {name: field for field, name in ATTRIBUTE_OF_FIELD.items()}
