"""How long a process takes from its start to its first price, from the compiled book and from the sources.

Each start is a process of its own with the files in the operating system's cache, as after a first start. The time is
wall time, from before the process is made until it has ended, so the interpreter's own start is in it.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.measure import Measurement

BAR_MS: Final = 200.0
STARTS: Final = 7

_COMPILED: Final = """
import sys
from pathlib import Path
from tokenweir.pricing import PriceBook
book = PriceBook.default(cache_dir=Path(sys.argv[1]))
"""
_FROM_SOURCES: Final = """
from tokenweir.pricing import PriceBook
from tokenweir.pricing.exchange import ExchangeRates, reference_rates
from tokenweir.pricing.genai_feed import GenaiFeed
from tokenweir.pricing.own_data import own_data
book = PriceBook([GenaiFeed(), own_data()], ExchangeRates(reference_rates()))
"""
_PLAIN_EVENT: Final = """
from datetime import datetime, UTC
class Event:
    vendor, model, service_tier, region = "openai", "gpt-4o", "standard", ""
    time, status, units = datetime(2026, 11, 1, tzinfo=UTC), "ok", {}
    input_tokens, output_tokens, cache_read_tokens = 1_000, 500, 0
    cache_write_tokens = cache_write_1h_tokens = reasoning_tokens = 0
    input_audio_tokens = input_image_tokens = output_audio_tokens = output_image_tokens = 0
event = Event()
"""
_USAGE_EVENT: Final = """
from tokenweir.usage import UsageEvent
event = UsageEvent.model_validate_json(
    '{"id":"a:1","source":"sdk","time":"2026-11-01T00:00:00Z","vendor":"openai","model":"gpt-4o",'
    '"input_tokens":1000,"output_tokens":500}'
)
"""
_FIRST_PRICE: Final = """
assert book.price(event).cost_picos == 7_500_000_000
"""


def starts(count: int = STARTS) -> list[Measurement]:
    """The time to the first price of an event at hand, and of one that is read from JSON into a UsageEvent."""
    with tempfile.TemporaryDirectory() as folder:
        cache_dir = Path(folder)
        _times(_COMPILED, _PLAIN_EVENT, cache_dir, 1)  # compiles the book
        return [
            _measurement("pricing_start", _PLAIN_EVENT, cache_dir, count, "the event is there", bar=BAR_MS),
            _measurement(
                "pricing_start_usage_event",
                _USAGE_EVENT,
                cache_dir,
                count,
                "the event is read from JSON into a UsageEvent, and half of it is the start of pydantic",
            ),
        ]


def _measurement(
    name: str, event: str, cache_dir: Path, count: int, note: str, bar: float | None = None
) -> Measurement:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = _times(_COMPILED, event, cache_dir, count)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    from_sources = _times(_FROM_SOURCES, event, cache_dir, max(1, count // 2))
    return Measurement(
        name=name,
        value=min(taken),
        mean=sum(taken) / len(taken),
        unit="ms",
        baseline=min(from_sources),
        baseline_is="compiling from sources",
        bar=bar,
        higher_is_better=False,
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        wall_seconds=sum(taken) / 1_000,
        note=f"from the start of a process to the end of its first price, best of {count}; {note}",
    )


def _times(book: str, event: str, cache_dir: Path, count: int) -> Sequence[float]:
    """Milliseconds of each of so many processes. Raises CalledProcessError where one fails or prices wrongly."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", book + event + _FIRST_PRICE, str(cache_dir)], check=True)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken
