"""The models that the simulated fleet calls: how fast they answer, how often they fail, how they name a call.

Speeds and error shares are made up within the range that users of such models report. Prices are not kept here:
what a call costs is for the price book to say.
"""

from dataclasses import dataclass
from typing import Final, Literal

CacheHabit = Literal["none", "read", "write"]
"""Whether a vendor reports cached input: not at all, what was read, or also what was written (and billed)."""


@dataclass(frozen=True, slots=True)
class VendorHabits:
    """What all models of one vendor share. Shares are of calls, between 0 and 1."""

    id_prefix: str
    regions: tuple[str, ...]
    cache: CacheHabit
    error_share: float
    rate_limited_share: float


@dataclass(frozen=True, slots=True)
class ModelHabits:
    """One model at one vendor. Medians; both are drawn with a log-normal tail.

    reasoning_share: reasoning tokens as a share of output, 0 for a model that does not report any.
    """

    vendor: str
    model: str
    ttft_ms: float
    output_tokens_per_second: float
    reasoning_share: float = 0.0

    @property
    def key(self) -> str:
        """`vendor/model`, the name by which the fleet's tables refer to it."""
        return f"{self.vendor}/{self.model}"


VENDORS: Final[dict[str, VendorHabits]] = {
    "openai": VendorHabits("chatcmpl-", ("",), "read", 0.003, 0.005),
    "azure": VendorHabits("chatcmpl-", ("westeurope", "eastus2"), "read", 0.002, 0.008),
    "anthropic": VendorHabits("msg_", ("",), "write", 0.004, 0.006),
    "google": VendorHabits("", ("europe-west1", "us-central1"), "read", 0.004, 0.004),
    "aws": VendorHabits("", ("eu-central-1", "us-east-1"), "write", 0.002, 0.009),
    "mistral": VendorHabits("cmpl-", ("",), "read", 0.003, 0.004),
    "cohere": VendorHabits("", ("",), "none", 0.002, 0.002),
    "deepseek": VendorHabits("", ("",), "read", 0.008, 0.002),
    "xai": VendorHabits("", ("",), "read", 0.004, 0.004),
    "groq": VendorHabits("chatcmpl-", ("",), "none", 0.003, 0.012),
    "baidu": VendorHabits("as-", ("cn-north",), "none", 0.004, 0.005),
    "volcengine": VendorHabits("", ("cn-beijing",), "read", 0.003, 0.004),
    "tencent": VendorHabits("", ("ap-guangzhou",), "none", 0.003, 0.004),
    "alibaba": VendorHabits("chatcmpl-", ("cn-beijing", "cn-hangzhou"), "read", 0.003, 0.005),
    "zhipu": VendorHabits("", ("",), "read", 0.004, 0.004),
    "moonshot": VendorHabits("chatcmpl-", ("",), "read", 0.004, 0.010),
    "vllm": VendorHabits("chatcmpl-", ("fra1",), "none", 0.001, 0.0),
}

_MODELS: Final = (
    ModelHabits("openai", "gpt-5.4", 620, 75, 0.25),
    ModelHabits("openai", "gpt-5.4-mini", 380, 140, 0.15),
    ModelHabits("openai", "gpt-5.4-nano", 260, 210),
    ModelHabits("openai", "gpt-6-luna", 300, 190),
    ModelHabits("openai", "gpt-6-sol", 700, 80, 0.45),
    ModelHabits("openai", "gpt-4.1", 520, 85),
    ModelHabits("openai", "text-embedding-3-small", 90, 0),
    ModelHabits("openai", "gpt-image-2", 9000, 60),
    ModelHabits("azure", "gpt-4.1", 480, 95),
    ModelHabits("azure", "gpt-5.4-mini", 400, 130, 0.15),
    ModelHabits("azure", "o4-mini", 900, 120, 0.6),
    ModelHabits("azure", "text-embedding-3-large", 110, 0),
    ModelHabits("anthropic", "claude-sonnet-5-5", 780, 72),
    ModelHabits("anthropic", "claude-haiku-5-5", 350, 160),
    ModelHabits("anthropic", "claude-sonnet-4-5", 950, 60),
    ModelHabits("anthropic", "claude-haiku-4-5", 420, 130),
    ModelHabits("google", "gemini-3.8-flash", 410, 190, 0.2),
    ModelHabits("google", "gemini-3.5-flash-lite", 260, 280),
    ModelHabits("google", "gemini-2.5-flash", 390, 180, 0.2),
    ModelHabits("google", "gemini-2.5-pro", 1400, 95, 0.5),
    ModelHabits("google", "gemini-embedding-001", 120, 0),
    ModelHabits("aws", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", 520, 110),
    ModelHabits("aws", "amazon.nova-pro-v1:0", 480, 100),
    ModelHabits("mistral", "mistral-large-2512", 500, 85),
    ModelHabits("mistral", "mistral-small-2603", 260, 150),
    ModelHabits("mistral", "codestral-2508", 210, 170),
    ModelHabits("cohere", "command-a", 420, 90),
    ModelHabits("cohere", "embed-v4.0", 100, 0),
    ModelHabits("deepseek", "deepseek-v4-flash", 800, 60, 0.1),
    ModelHabits("deepseek", "deepseek-v4-pro", 1300, 40, 0.5),
    ModelHabits("xai", "grok-4.3", 650, 90, 0.3),
    ModelHabits("xai", "grok-4-fast-reasoning", 420, 160, 0.4),
    ModelHabits("groq", "llama-3.3-70b-versatile", 180, 280),
    ModelHabits("groq", "openai/gpt-oss-120b", 200, 450, 0.3),
    ModelHabits("baidu", "ernie-4.5-turbo-128k", 700, 55),
    ModelHabits("volcengine", "doubao-seed-1.8", 480, 80, 0.2),
    ModelHabits("tencent", "hunyuan-turbos", 520, 60),
    ModelHabits("alibaba", "qwen-plus", 560, 70),
    ModelHabits("zhipu", "glm-5.3", 700, 60, 0.2),
    ModelHabits("moonshot", "kimi-k2.6", 750, 60),
    ModelHabits("moonshot", "kimi-k3", 900, 55, 0.3),
    ModelHabits("vllm", "brightwater-support-8b", 140, 110),
)

MODELS: Final[dict[str, ModelHabits]] = {habits.key: habits for habits in _MODELS}

UNPRICED_MODELS: Final = frozenset({"vllm/brightwater-support-8b"})
"""A private fine-tune that no price book knows, so that unpriced traffic shows as such."""
