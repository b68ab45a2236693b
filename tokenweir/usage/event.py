"""UsageEvent: one billed call to a model, as its reporter knows it. Schema version 1.

Invariants:
- counts are inclusive totals with subsets: cached tokens are part of `input_tokens`, reasoning tokens part of
  `output_tokens`; an event whose subsets exceed their total is refused;
- (`tenant`, `id`) names the billed call. However often and by whomever it is reported, it is counted once;
- no prompt, no answer, no key is ever part of an event.

Names follow the OpenTelemetry GenAI conventions where those have one (`tokenweir.usage.opentelemetry`).
The model refuses unknown fields, wrong types and absurd values; it knows no clock, so that an event lies in the
future is for the caller to see (`is_plausible_time`).
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION: Final = 1

MAX_TOKENS: Final = 1_000_000_000
"""More than any one call can hold: the largest context windows are some ten million tokens."""

EARLIEST_TIME: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""No vendor sold tokens before; a time before this is a unit mistaken (1970) or a clock unset."""

LATEST_AHEAD: Final = timedelta(days=1)
"""How far a reporter's clock may run ahead of ours before its time is refused."""

MAX_TAGS: Final = 32

Status = Literal["ok", "error", "rate_limited", "timeout", "cancelled", "filtered"]


def _to_utc(moment: datetime) -> datetime:
    if moment < EARLIEST_TIME:
        raise ValueError(f"lies before {EARLIEST_TIME:%Y-%m-%d}; is its unit or its clock right?")
    return moment.astimezone(UTC)


def _no_control_characters(text: str) -> str:
    if not text.isprintable() and any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("holds a control character")
    return text


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError("is not a finite number")
    return amount


_Clean = AfterValidator(_no_control_characters)
Name = Annotated[str, Field(max_length=256), _Clean]
RequiredName = Annotated[str, Field(min_length=1, max_length=256), _Clean]
Identifier = Annotated[str, Field(min_length=1, max_length=512), _Clean]
TagKey = Annotated[str, Field(min_length=1, max_length=64), _Clean]
TagValue = Annotated[str, Field(max_length=256), _Clean]
Tokens = Annotated[int, Field(ge=0, le=MAX_TOKENS)]
Milliseconds = Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]
Amount = Annotated[Decimal, Field(ge=0, le=Decimal(10) ** 12), AfterValidator(_finite)]
Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]


class UsageEvent(BaseModel):
    """One billed call. Token counts are inclusive totals; durations are milliseconds; times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # identity
    id: Identifier = Field(
        description="The billed call's own name, `<vendor>:<response id>` where there is one."
    )
    source: RequiredName = Field(description="Who reported it.")
    time: Moment = Field(description="UTC, when the vendor finished answering.")

    # attribution
    tenant: RequiredName = Field(default="default", description="Whose ledger it belongs to.")
    team: Name = ""
    project: Name = ""
    service: Name = ""
    environment: Name = ""
    user: Name = ""
    api_key: Name = Field(default="", description="A label of the key, never the key.")
    session: Name = ""
    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=MAX_TAGS)

    # model
    vendor: RequiredName = Field(description="Who sends the bill: a Claude model on Bedrock has vendor aws.")
    model: RequiredName = Field(description="The model that answered.")
    requested_model: Name = Field(default="", description="The model or deployment that was asked for.")
    operation: RequiredName = Field(
        default="chat", description="chat, embedding, rerank, image, audio, video…"
    )
    region: Name = ""
    service_tier: RequiredName = Field(default="standard", description="standard, batch, flex, priority…")

    # usage
    input_tokens: Tokens = Field(default=0, description="All input, cached or not.")
    cache_read_tokens: Tokens = Field(default=0, description="Of input_tokens: read from a cache.")
    cache_write_tokens: Tokens = Field(default=0, description="Of input_tokens: written to a cache.")
    cache_write_1h_tokens: Tokens = Field(default=0, description="Of cache_write_tokens: kept for an hour.")
    input_audio_tokens: Tokens = Field(default=0, description="Of input_tokens: audio.")
    input_image_tokens: Tokens = Field(default=0, description="Of input_tokens: images.")
    output_tokens: Tokens = Field(default=0, description="All output, reasoning included.")
    reasoning_tokens: Tokens = Field(default=0, description="Of output_tokens: reasoning.")
    output_audio_tokens: Tokens = Field(default=0, description="Of output_tokens: audio.")
    output_image_tokens: Tokens = Field(default=0, description="Of output_tokens: images.")
    units: dict[TagKey, Amount] = Field(
        default_factory=dict,
        max_length=MAX_TAGS,
        description="Other meters: images, audio_seconds, web_searches…",
    )

    # outcome
    status: Status = "ok"
    error_code: Name = ""
    attempt: Annotated[int, Field(ge=1, le=1000)] = 1
    duration_ms: Milliseconds | None = None
    ttft_ms: Milliseconds | None = Field(default=None, description="Time to first token.")
    streaming: bool = False

    # as reported
    reported_cost: Amount | None = Field(default=None, description="What the vendor or gateway says it cost.")
    reported_currency: Annotated[str, Field(max_length=3), _Clean] = ""

    @model_validator(mode="after")
    def _subsets_fit_their_totals(self) -> Self:
        problem = subset_problem(self)
        if problem:
            raise ValueError(problem)
        return self


TOKEN_FIELDS: Final = tuple(name for name in UsageEvent.model_fields if name.endswith("_tokens"))
"""Every token count of an event, totals and subsets."""

WORKLOAD_FIELDS: Final = ("tenant", "team", "project", "service")
"""A workload: what stays in order, and shares a Kafka key."""

GROUP_FIELDS: Final = (
    *WORKLOAD_FIELDS,
    "environment",
    "api_key",
    "vendor",
    "model",
    "region",
    "operation",
    "service_tier",
)
"""What two calls must agree in to be added up: in minute windows and, with how they ended, in the rollups."""


SUBSETS: Final = (
    ("input_tokens", ("cache_read_tokens", "cache_write_tokens")),
    ("cache_write_tokens", ("cache_write_1h_tokens",)),
    ("input_tokens", ("input_audio_tokens", "input_image_tokens")),
    ("output_tokens", ("reasoning_tokens",)),
    ("output_tokens", ("output_audio_tokens", "output_image_tokens")),
)
"""What `subset_problem` checks, for who checks many events at once: total, and what together may not exceed it."""


def subset_problem(event: "UsageEvent") -> str:
    """The first subset of `event` that is larger than its total, as a sentence; empty where all fit.

    Takes anything with the usage fields of UsageEvent, the hot path's struct too.
    """
    if event.cache_read_tokens + event.cache_write_tokens > event.input_tokens:
        return (
            f"cache_read_tokens {event.cache_read_tokens} + cache_write_tokens {event.cache_write_tokens} exceed "
            f"input_tokens {event.input_tokens}; input_tokens counts cached tokens too"
        )
    if event.cache_write_1h_tokens > event.cache_write_tokens:
        return (
            f"cache_write_1h_tokens {event.cache_write_1h_tokens} exceed "
            f"cache_write_tokens {event.cache_write_tokens}"
        )
    if event.input_audio_tokens + event.input_image_tokens > event.input_tokens:
        return (
            f"input_audio_tokens {event.input_audio_tokens} + input_image_tokens {event.input_image_tokens} "
            f"exceed input_tokens {event.input_tokens}"
        )
    if event.reasoning_tokens > event.output_tokens:
        return (
            f"reasoning_tokens {event.reasoning_tokens} exceed output_tokens {event.output_tokens}; "
            "output_tokens counts reasoning tokens too"
        )
    if event.output_audio_tokens + event.output_image_tokens > event.output_tokens:
        return (
            f"output_audio_tokens {event.output_audio_tokens} + output_image_tokens {event.output_image_tokens} "
            f"exceed output_tokens {event.output_tokens}"
        )
    return ""


def is_plausible_time(moment: datetime, now: datetime) -> bool:
    """Whether an event of `moment` (UTC) can have happened, seen at `now` (UTC)."""
    return EARLIEST_TIME <= moment <= now + LATEST_AHEAD
