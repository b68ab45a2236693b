"""What the tests of the compatible hosts' readers share: one way to read, one way to look at what was read."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from producers.vendors import AnswerContext, read_calls, read_stream
from tokenweir.usage.event import TOKEN_FIELDS, UsageEvent

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CONTEXT = AnswerContext(source="test", now=NOW)
CANARY = "the quick brown canary"


def calls(vendor: str, body: Mapping[str, Any], surface: str | None = None) -> tuple[UsageEvent, ...]:
    """Every call of an answer, read as it comes from the wire; none of them holds the canary."""
    wire = json.loads(json.dumps(body), parse_float=Decimal)
    events = read_calls(vendor, wire, surface=surface, context=CONTEXT)
    assert CANARY not in "".join(event.model_dump_json() for event in events)
    assert all(event.vendor == vendor for event in events)
    return events


def read(vendor: str, body: Mapping[str, Any], surface: str | None = None) -> UsageEvent:
    """The only call of an answer."""
    (event,) = calls(vendor, body, surface)
    return event


def merged(vendor: str, chunks: Sequence[Mapping[str, Any]], surface: str | None = None) -> UsageEvent:
    """The only call of a stream."""
    (event,) = read_stream(vendor, chunks, surface=surface, context=CONTEXT)
    assert CANARY not in event.model_dump_json()
    assert event.streaming
    return event


def counted(event: UsageEvent) -> dict[str, Any]:
    """Counts and units that are not 0, by name."""
    tokens = {name: value for name in TOKEN_FIELDS if (value := getattr(event, name))}
    return tokens | {name: float(amount) for name, amount in event.units.items()}


def cost(event: UsageEvent) -> tuple[Decimal | None, str]:
    """What the vendor says it cost, and in which currency."""
    return event.reported_cost, event.reported_currency


def chunk(usage: Any = None, *, reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """One chunk of a streamed chat completion, with text in its choice."""
    return {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 1_770_000_000,
        "model": "m-1",
        "choices": [{"index": 0, "delta": {"content": CANARY}, "finish_reason": reason}],
        "usage": usage,
        **fields,
    }


def completion(usage: Any, **fields: Any) -> dict[str, Any]:
    """A chat completion with text in its choice."""
    return {
        "id": "c-1",
        "object": "chat.completion",
        "created": 1_770_000_000,
        "model": "m-1",
        "choices": [{"index": 0, "message": {"content": CANARY}, "finish_reason": "stop"}],
        "usage": usage,
        **fields,
    }
