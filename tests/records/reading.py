"""Reads records in tests as the collector does: decoded with exact numbers, in order, with one reader."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from producers import records
from producers.vendors.answer import Answer
from tokenweir.usage import UsageEvent

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CANARY = "the quick brown canary sings"


def exact(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as it comes out of a file: numbers with a point are Decimal."""
    decoded: dict[str, Any] = json.loads(json.dumps(record, default=str), parse_float=Decimal)
    return decoded


def read(
    *given: Mapping[str, Any], fields: Mapping[str, Any] | None = None, form: str = ""
) -> list[UsageEvent]:
    """The events of the records of one file, whose format is found by the first that tells it."""
    decoded = [exact(record) for record in given]
    name = form or next(found for record in decoded if (found := records.detect(record)))
    reader = records.new_reader(name)
    numbers = count()
    context = records.RecordContext(
        source="log", now=NOW, fields=fields or {}, make_id=lambda: f"log:row-{next(numbers)}"
    )
    return [event for record in decoded for event in reader(Answer(record), context)]


def counted_once(events: list[UsageEvent]) -> dict[str, UsageEvent]:
    """What a ledger keeps of reports of equal fullness: of each call the last."""
    return {event.id: event for event in events}


def counts(event: UsageEvent) -> tuple[int, int, int, int, int]:
    """input, cache read, cache write, output, reasoning."""
    return (
        event.input_tokens,
        event.cache_read_tokens,
        event.cache_write_tokens,
        event.output_tokens,
        event.reasoning_tokens,
    )
