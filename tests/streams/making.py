"""Events, a book and messages for the tests of the streams."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from streams.meter import Meter, MeterOutput
from tokenweir.pricing import Priced
from tokenweir.usage import UsageEvent
from tokenweir.usage.wire import HEADERS, encode_event

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
REPORTED_AT_MS = 1_795_435_200_000

INPUT_PICOS = 2_500_000
OUTPUT_PICOS = 10_000_000


class FlatBook:
    """Prices every model but `no-such-model` at 2.50 and 10 dollars a million tokens."""

    def price_group(
        self,
        names: Mapping[str, str],
        earliest: datetime,
        latest: datetime,
        columns: Mapping[str, Sequence[Any]],
    ) -> None:
        """Prices only call by call."""

    def price(self, event: Any) -> Priced:
        """What it costs."""
        if event.model == "no-such-model":
            return Priced(None, None, None, "USD", None, (), "", "unpriced", "no price is known")
        parts = (
            ("input", event.input_tokens * INPUT_PICOS),
            ("output", event.output_tokens * OUTPUT_PICOS),
        )
        cost = sum(picos for _, picos in parts)
        return Priced(cost, cost, cost, "USD", 10**12, parts, "flat", "list", "")


def an_event(number: int = 0, **changes: Any) -> UsageEvent:
    """An event like those of a real workload."""
    fields: dict[str, Any] = {
        "id": f"openai:chatcmpl-{number:08d}",
        "source": "sdk",
        "time": NOW - timedelta(seconds=number % 90),
        "tenant": "acme",
        "team": "search",
        "project": "assistant",
        "service": "api",
        "vendor": "openai",
        "model": "gpt-4o-mini",
        "input_tokens": 1000 + number,
        "output_tokens": 100,
        "duration_ms": 812.5,
        "ttft_ms": 120.0,
    }
    return UsageEvent(**(fields | changes))


def columns_of_events(events: Sequence[UsageEvent]) -> dict[str, list[Any]]:
    """The events column by column."""
    return {name: [getattr(event, name) for event in events] for name in UsageEvent.model_fields}


def a_line(number: int = 0, **changes: Any) -> bytes:
    """The line of such an event."""
    return encode_event(an_event(number, **changes))


def step(
    value: bytes | None, *, headers: Any = HEADERS, now: datetime = NOW, meter: Meter | None = None
) -> MeterOutput:
    """The meter's answer to a message at a fixed position."""
    return (meter or Meter(FlatBook())).step(
        value,
        headers=headers,
        topic="tokenweir.usage",
        partition=3,
        offset=42,
        reported_at_ms=REPORTED_AT_MS,
        now=now,
        key=b"acme\x1fsearch\x1fassistant\x1fapi",
    )
