"""The traffic that is measured with: messages as our producers send them, seeded, each call a new one.

A message holds the calls of one workload within some seconds, as the emitter batches them. There are WORKLOADS of
them, each with its own share of MODELS; token counts, latencies, users and failures vary from call to call.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from tokenweir.usage.wire import MAX_BATCH_EVENTS, workload_key

BATCH_EVENTS: Final = MAX_BATCH_EVENTS
WORKLOADS: Final = 48
_SPREAD_SECONDS: Final = 30.0
_encode: Final = msgspec.json.Encoder().encode


class Model(NamedTuple):
    """A model as it is called: who bills it, typical counts, shares of cached input and of reasoning output."""

    vendor: str
    name: str
    region: str
    input_tokens: int
    output_tokens: int
    cached: float = 0.0
    reasoning: float = 0.0


MODELS: Final = (
    Model("openai", "gpt-4o-mini-2024-07-18", "", 1_800, 350, 0.2),
    Model("openai", "gpt-5-mini", "", 4_500, 900, 0.4, 0.5),
    Model("openai", "gpt-4.1", "", 3_200, 500, 0.3),
    Model("openai", "text-embedding-3-small", "", 700, 0),
    Model("anthropic", "claude-sonnet-4-5", "", 12_000, 700, 0.7),
    Model("anthropic", "claude-haiku-4-5", "", 6_000, 400, 0.5),
    Model("aws", "anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1", 9_000, 600, 0.3),
    Model("google", "gemini-2.5-flash", "", 2_500, 400, 0.1, 0.3),
    Model("google", "gemini-2.5-pro", "", 8_000, 1_100, 0.2, 0.6),
    Model("groq", "llama-3.3-70b-versatile", "", 1_500, 300),
    Model("mistral", "mistral-small-latest", "", 2_000, 300),
    Model("xai", "grok-4", "", 3_000, 800, 0.2, 0.5),
    Model("alibaba", "qwen-plus", "cn-beijing", 2_200, 450, 0.1),
    Model("vllm", "our-own-llama", "", 1_200, 200),
)

_STATUSES: Final = ("error", "rate_limited", "timeout")


class UsageMessage(NamedTuple):
    """A Kafka message of usage: key, NDJSON, and how many events it holds."""

    key: bytes
    value: bytes
    events: int


def usage_message(number: int, at: datetime, events: int = BATCH_EVENTS) -> UsageMessage:
    """Message `number` of the traffic, which ends at `at` (UTC). The same arguments give the same bytes."""
    dice = random.Random(number)
    workload = number % WORKLOADS
    names = (f"team-{workload % 14}", f"project-{workload % 23}", f"service-{workload}")
    models = [MODELS[(workload * 5 + step * 3) % len(MODELS)] for step in range(1 + workload % 3)]
    lines = [
        _encode(_event(dice, f"{number:06x}{line:04x}", workload, names, dice.choice(models), at))
        for line in range(events)
    ]
    return UsageMessage(workload_key("acme", *names), b"\n".join(lines), events)


def _event(
    dice: random.Random, call: str, workload: int, names: tuple[str, str, str], model: Model, at: datetime
) -> dict[str, Any]:
    """One event with its defaults left out, as `tokenweir.usage.wire` writes it."""
    roll = dice.random
    moment = at.astimezone(UTC) - timedelta(seconds=round(roll() * _SPREAD_SECONDS, 3))
    failed = roll() < 0.02
    input_tokens = 1 + int(model.input_tokens * (0.2 + 3 * roll() * roll()))
    output_tokens = 0 if failed else int(model.output_tokens * (0.2 + 3 * roll() * roll()))
    duration_ms = 180 + 9 * output_tokens * (0.5 + roll())
    event: dict[str, Any] = {
        "id": f"{model.vendor}:chatcmpl-{call}{dice.getrandbits(64):016x}",
        "source": "sdk",
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "tenant": "acme",
        "team": names[0],
        "project": names[1],
        "service": names[2],
        "environment": "production",
        "user": f"user-{int(roll() * 4_000)}",
        "api_key": f"key-{workload % 9}",
        "tags": {"feature": f"feature-{workload % 5}", "release": "2026.46"},
        "vendor": model.vendor,
        "model": model.name,
        "requested_model": model.name,
        "input_tokens": input_tokens,
        "duration_ms": round(duration_ms, 2),
    }
    if model.region:
        event["region"] = model.region
    if not model.output_tokens:
        event["operation"] = "embedding"
    if output_tokens:
        event |= {"output_tokens": output_tokens, "ttft_ms": round(duration_ms * 0.2, 2), "streaming": True}
        if roll() < model.reasoning:
            event["reasoning_tokens"] = 1 + int((output_tokens - 1) * roll())
    if roll() < model.cached:
        event["cache_read_tokens"] = 1 + int((input_tokens - 1) * roll())
    if failed:
        event |= {"status": dice.choice(_STATUSES), "error_code": "503"}
    return event
