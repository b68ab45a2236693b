"""The simulated company: its teams, what each of them runs, and on which model.

A workload is one service of one team in one environment. `calls_per_day` are means at scale 1; together they
come to some 18,000 a day.
"""

from dataclasses import dataclass
from typing import Final

from producers.simulation.models import MODELS


@dataclass(frozen=True, slots=True)
class CallShape:
    """What one kind of use asks of a model. Token counts are medians of log-normal draws.

    cache_share: of the input, where a prefix is found in the vendor's cache; cache_hits: how often it is.
    streamed: share of calls that stream their answer.
    """

    operation: str
    input_tokens: int
    output_tokens: int
    spread: float
    cache_share: float
    cache_hits: float
    streamed: float


@dataclass(frozen=True, slots=True)
class Team:
    """A team with its project and the time zone it works in."""

    name: str
    project: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Workload:
    """One service. `reporters` is who reports its calls; with "both" an SDK and a gateway report some calls twice."""

    team: Team
    service: str
    shape: str
    model: str
    calls_per_day: float
    rhythm: str = "office"
    environment: str = "production"
    service_tier: str = "standard"
    reporters: str = "sdk"
    users: int = 40

    @property
    def name(self) -> str:
        """`team/service/environment`, unique in the fleet."""
        return f"{self.team.name}/{self.service}/{self.environment}"

    @property
    def vendor(self) -> str:
        """The vendor of the model it calls when nothing has happened yet."""
        return MODELS[self.model].vendor


SHAPES: Final[dict[str, CallShape]] = {
    "assistant": CallShape("chat", 2200, 320, 0.65, 0.6, 0.55, 0.9),
    "retrieval": CallShape("chat", 6200, 260, 0.55, 0.4, 0.45, 0.7),
    "agent": CallShape("chat", 13000, 420, 0.75, 0.85, 0.8, 0.5),
    "classify": CallShape("chat", 480, 9, 0.5, 0.0, 0.0, 0.0),
    "summarise": CallShape("chat", 8200, 380, 0.6, 0.1, 0.15, 0.1),
    "extract": CallShape("chat", 3100, 520, 0.6, 0.5, 0.6, 0.0),
    "complete": CallShape("chat", 3800, 90, 0.7, 0.7, 0.6, 0.95),
    "translate": CallShape("chat", 750, 760, 0.7, 0.0, 0.0, 0.2),
    "reason": CallShape("chat", 1900, 2400, 0.7, 0.2, 0.3, 0.6),
    "embed": CallShape("embedding", 820, 0, 0.7, 0.0, 0.0, 0.0),
    "image": CallShape("image", 70, 1056, 0.3, 0.0, 0.0, 0.0),
}

_TEAMS: Final = {
    team.name: team
    for team in (
        Team("search", "storefront", "Europe/Berlin"),
        Team("recommendations", "storefront", "Europe/Berlin"),
        Team("checkout", "storefront", "Europe/London"),
        Team("catalogue", "storefront", "Europe/Warsaw"),
        Team("support-emea", "helpdesk", "Europe/Berlin"),
        Team("support-americas", "helpdesk", "America/New_York"),
        Team("support-apac", "helpdesk", "Asia/Singapore"),
        Team("developer-tools", "engineering", "America/Los_Angeles"),
        Team("platform", "engineering", "Europe/Amsterdam"),
        Team("quality", "engineering", "Asia/Kolkata"),
        Team("security", "trust", "America/New_York"),
        Team("fraud", "trust", "Europe/London"),
        Team("moderation", "trust", "Asia/Manila"),
        Team("marketing", "growth", "America/Chicago"),
        Team("content", "growth", "Europe/Paris"),
        Team("localisation", "growth", "Europe/Madrid"),
        Team("sales", "revenue", "America/New_York"),
        Team("pricing", "revenue", "Europe/London"),
        Team("finance", "back-office", "Europe/Zurich"),
        Team("legal", "back-office", "Europe/Paris"),
        Team("people", "back-office", "Europe/Berlin"),
        Team("data-science", "insight", "America/Los_Angeles"),
        Team("analytics", "insight", "Europe/Stockholm"),
        Team("research", "insight", "America/Toronto"),
        Team("china-commerce", "china", "Asia/Shanghai"),
        Team("china-service", "china", "Asia/Shanghai"),
        Team("china-content", "china", "Asia/Shanghai"),
        Team("mobile", "apps", "America/Sao_Paulo"),
        Team("voice", "apps", "Australia/Sydney"),
        Team("logistics", "operations", "Asia/Tokyo"),
    )
}


def _work(
    team: str,
    service: str,
    shape: str,
    model: str,
    calls_per_day: float,
    rhythm: str = "office",
    environment: str = "production",
    service_tier: str = "standard",
    reporters: str = "sdk",
    users: int = 40,
) -> Workload:
    return Workload(
        _TEAMS[team],
        service,
        shape,
        model,
        calls_per_day,
        rhythm,
        environment,
        service_tier,
        reporters,
        users,
    )


WORKLOADS: Final[tuple[Workload, ...]] = (
    _work("search", "query-rewriter", "classify", "openai/gpt-5.4-nano", 700, "consumer", users=4000),
    _work("search", "semantic-index", "embed", "openai/text-embedding-3-small", 550, "steady"),
    _work("search", "answer-box", "retrieval", "google/gemini-2.5-flash", 430, "consumer", users=2500),
    _work("search", "answer-box", "retrieval", "google/gemini-2.5-flash", 25, environment="staging", users=6),
    _work("recommendations", "item-embedder", "embed", "google/gemini-embedding-001", 380, "steady"),
    _work(
        "recommendations",
        "explainer",
        "assistant",
        "groq/llama-3.3-70b-versatile",
        360,
        "consumer",
        users=3000,
    ),
    _work("checkout", "address-parser", "extract", "mistral/mistral-small-2603", 310, "consumer"),
    _work(
        "checkout",
        "order-assistant",
        "assistant",
        "openai/gpt-5.4-mini",
        340,
        "consumer",
        reporters="both",
        users=2200,
    ),
    _work("catalogue", "attribute-extractor", "extract", "openai/gpt-4.1", 290, "nightly"),
    _work("catalogue", "duplicate-finder", "embed", "cohere/embed-v4.0", 260, "nightly"),
    _work("catalogue", "photo-retoucher", "image", "openai/gpt-image-2", 35, users=12),
    _work("catalogue", "description-writer", "summarise", "mistral/mistral-large-2512", 180),
    _work(
        "support-emea",
        "ticket-triage",
        "classify",
        "vllm/brightwater-support-8b",
        380,
        "steady",
        reporters="gateway",
    ),
    _work(
        "support-emea",
        "reply-drafter",
        "retrieval",
        "anthropic/claude-sonnet-4-5",
        420,
        reporters="both",
        users=160,
    ),
    _work("support-emea", "call-summary", "summarise", "azure/gpt-4.1", 210, users=90),
    _work(
        "support-americas",
        "reply-drafter",
        "retrieval",
        "anthropic/claude-sonnet-5-5",
        390,
        reporters="both",
        users=150,
    ),
    _work(
        "support-americas", "chat-assistant", "assistant", "openai/gpt-5.4-mini", 480, "consumer", users=3200
    ),
    _work(
        "support-americas",
        "quality-review",
        "summarise",
        "openai/gpt-5.4-mini",
        140,
        "nightly",
        service_tier="batch",
    ),
    _work("support-apac", "chat-assistant", "assistant", "alibaba/qwen-plus", 330, "consumer", users=1800),
    _work("support-apac", "reply-drafter", "retrieval", "google/gemini-2.5-flash", 280, users=70),
    _work("developer-tools", "code-completion", "complete", "mistral/codestral-2508", 650, users=240),
    _work(
        "developer-tools",
        "code-review",
        "agent",
        "anthropic/claude-sonnet-5-5",
        260,
        reporters="gateway",
        users=220,
    ),
    _work(
        "developer-tools",
        "coding-agent",
        "agent",
        "anthropic/claude-sonnet-4-5",
        310,
        reporters="gateway",
        users=130,
    ),
    _work("developer-tools", "commit-messages", "classify", "groq/openai/gpt-oss-120b", 220, users=240),
    _work("platform", "incident-assistant", "reason", "azure/o4-mini", 70, "steady", users=25),
    _work("platform", "log-labels", "classify", "openai/gpt-6-luna", 340, "steady"),
    _work("platform", "runbook-search", "retrieval", "azure/gpt-5.4-mini", 110, users=80),
    _work("quality", "test-writer", "agent", "deepseek/deepseek-v4-flash", 190, users=60),
    _work("quality", "bug-triage", "classify", "openai/gpt-5.4-nano", 170),
    _work(
        "quality",
        "test-writer",
        "agent",
        "deepseek/deepseek-v4-flash",
        30,
        environment="development",
        users=8,
    ),
    _work("security", "alert-triage", "reason", "xai/grok-4-fast-reasoning", 150, "steady"),
    _work("security", "phishing-check", "classify", "aws/amazon.nova-pro-v1:0", 270, "steady"),
    _work("fraud", "case-summary", "summarise", "aws/eu.anthropic.claude-haiku-4-5-20251001-v1:0", 230),
    _work("fraud", "transaction-notes", "extract", "aws/amazon.nova-pro-v1:0", 340, "consumer"),
    _work("moderation", "review-filter", "classify", "openai/gpt-6-luna", 480, "consumer"),
    _work("moderation", "image-captions", "extract", "google/gemini-3.5-flash-lite", 260, "consumer"),
    _work("moderation", "appeals", "reason", "anthropic/claude-haiku-4-5", 60),
    _work("marketing", "campaign-writer", "assistant", "openai/gpt-5.4", 130, reporters="both", users=35),
    _work("marketing", "banner-maker", "image", "openai/gpt-image-2", 45, users=20),
    _work("marketing", "audience-notes", "summarise", "google/gemini-2.5-pro", 60, users=18),
    _work("content", "article-assistant", "assistant", "mistral/mistral-large-2512", 210, users=50),
    _work("content", "headline-tests", "classify", "mistral/mistral-small-2603", 150),
    _work("localisation", "product-translation", "translate", "google/gemini-3.5-flash-lite", 360, "nightly"),
    _work("localisation", "help-translation", "translate", "openai/gpt-4.1", 240),
    _work("localisation", "terminology-check", "classify", "cohere/command-a", 130),
    _work("sales", "account-brief", "retrieval", "openai/gpt-4.1", 220, reporters="both", users=140),
    _work("sales", "call-notes", "summarise", "anthropic/claude-haiku-5-5", 190, users=120),
    _work("sales", "lead-scoring", "classify", "openai/gpt-5.4-nano", 210, "nightly", service_tier="batch"),
    _work("pricing", "competitor-reader", "extract", "deepseek/deepseek-v4-flash", 240, "nightly"),
    _work("pricing", "price-explainer", "assistant", "azure/gpt-5.4-mini", 90, users=30),
    _work("finance", "invoice-reader", "extract", "azure/gpt-4.1", 260, users=30),
    _work("finance", "close-assistant", "reason", "openai/gpt-6-sol", 45, users=22),
    _work("legal", "contract-review", "summarise", "anthropic/claude-sonnet-5-5", 95, users=28),
    _work("legal", "clause-search", "embed", "azure/text-embedding-3-large", 140),
    _work("people", "policy-assistant", "retrieval", "azure/gpt-5.4-mini", 130, users=600),
    _work("people", "cv-reader", "extract", "anthropic/claude-haiku-4-5", 110),
    _work("data-science", "notebook-assistant", "complete", "anthropic/claude-haiku-5-5", 280, users=45),
    _work("data-science", "synthetic-labels", "extract", "deepseek/deepseek-v4-pro", 120, "nightly"),
    _work("analytics", "question-to-sql", "reason", "openai/gpt-5.4", 160, users=190),
    _work("analytics", "dashboard-captions", "classify", "google/gemini-3.8-flash", 120),
    _work("research", "paper-reader", "summarise", "google/gemini-2.5-pro", 75, users=16),
    _work("research", "evaluation-runs", "reason", "xai/grok-4.3", 90, "nightly", environment="development"),
    _work("research", "long-documents", "summarise", "moonshot/kimi-k3", 60, users=14),
    _work(
        "china-commerce",
        "shop-assistant",
        "assistant",
        "volcengine/doubao-seed-1.8",
        400,
        "consumer",
        users=5000,
    ),
    _work("china-commerce", "title-rewriter", "classify", "alibaba/qwen-plus", 300, "nightly"),
    _work("china-commerce", "live-captions", "translate", "tencent/hunyuan-turbos", 210, "consumer"),
    _work(
        "china-service",
        "service-chat",
        "assistant",
        "baidu/ernie-4.5-turbo-128k",
        350,
        "consumer",
        users=2600,
    ),
    _work("china-service", "ticket-summary", "summarise", "moonshot/kimi-k2.6", 160),
    _work("china-content", "video-scripts", "assistant", "volcengine/doubao-seed-1.8", 190),
    _work("china-content", "topic-labels", "classify", "zhipu/glm-5.3", 200),
    _work("mobile", "in-app-assistant", "assistant", "google/gemini-2.5-flash", 360, "consumer", users=6000),
    _work("mobile", "offline-notes", "extract", "groq/llama-3.3-70b-versatile", 140, "consumer", users=900),
    _work("voice", "dialogue", "assistant", "groq/openai/gpt-oss-120b", 300, "consumer", users=1500),
    _work("voice", "intent", "classify", "openai/gpt-6-luna", 340, "consumer", users=1500),
    _work("logistics", "customs-forms", "extract", "moonshot/kimi-k2.6", 150),
    _work("logistics", "route-notes", "summarise", "mistral/mistral-small-2603", 120, "steady"),
)

LATE_SERVICES: Final = frozenset({"offline-notes"})
"""Services whose devices report hours later, when they are online again."""

FAILOVERS: Final[dict[str, str]] = {
    "openai": "anthropic/claude-haiku-5-5",
    "azure": "openai/gpt-5.4-mini",
    "anthropic": "aws/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
    "google": "openai/gpt-6-luna",
    "mistral": "google/gemini-3.5-flash-lite",
}
"""Where production chat of a vendor goes while that vendor is down."""
