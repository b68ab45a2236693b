"""What the tests of the Chinese vendors' readers share: one way to read, one way to look at what was read."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from producers.vendors import AnswerContext, detect, read_calls, read_stream
from tokenweir.usage.event import TOKEN_FIELDS, UsageEvent

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CONTEXT = AnswerContext(source="test", now=NOW)
CANARY = "the quick brown canary"


def calls(vendor: str, body: Mapping[str, Any], surface: str | None = None) -> tuple[UsageEvent, ...]:
    """Every call of an answer; none of them holds the canary."""
    events = read_calls(vendor, body, surface=surface, context=CONTEXT)
    assert CANARY not in "".join(event.model_dump_json() for event in events)
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


def found(vendor: str, body: Mapping[str, Any]) -> str:
    return detect(vendor, body)


def counted(event: UsageEvent) -> dict[str, Any]:
    """Counts and units that are not 0, by name."""
    tokens = {name: value for name in TOKEN_FIELDS if (value := getattr(event, name))}
    return tokens | {name: float(amount) for name, amount in event.units.items()}
