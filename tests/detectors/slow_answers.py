"""Made-up minutes of calls that are answered fast or slowly, shown to the detector of latency; seeded."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from streams.detectors.detector import Condition
from streams.detectors.latency import Latency
from streams.detectors.minute import GroupRow, TenantMinute
from streams.histogram import count_buckets
from streams.windows import GroupSums
from tests.detectors.failing_calls import DAY, START
from tokenweir.usage.event import GROUP_FIELDS, TOKEN_FIELDS

SPEEDS = {
    "gpt-5.4": (620.0, 75.0),
    "gpt-5.4-mini": (380.0, 140.0),
    "claude-sonnet-5-5": (780.0, 72.0),
    "claude-haiku-5-5": (350.0, 160.0),
    "gpt-4.1": (480.0, 95.0),
    "o4-mini": (900.0, 120.0),
}
"""Milliseconds to the first token, and tokens a second after it."""


class Asker(NamedTuple):
    """A workload that calls one model so often, with so long prompts and answers. streamed: share of its calls."""

    service: str
    vendor: str = "openai"
    model: str = "gpt-5.4"
    region: str = ""
    calls_per_minute: float = 1.0
    input_tokens: int = 2_000
    output_tokens: int = 250
    streamed: float = 0.8
    service_tier: str = "standard"


class Pace(NamedTuple):
    """How much longer the first token and each token after it take than usual, and what share of calls times out."""

    ttft: float = 1.0
    output: float = 1.0
    timeouts: float = 0.0


Paces = Callable[[Asker, int], Pace]
"""By asker and minute, counted from START."""

Changed = Callable[[Asker, int], Asker | None]
"""What an asker does at a minute; None for nothing."""

ASKERS = (
    Asker("search"),
    Asker("chat", input_tokens=6_000),
    Asker("mail", model="gpt-5.4-mini", output_tokens=400),
    Asker("tags", model="gpt-5.4-mini", output_tokens=12, streamed=0.0),
    Asker("code", vendor="anthropic", model="claude-sonnet-5-5", input_tokens=9_000),
    Asker("notes", vendor="anthropic", model="claude-haiku-5-5"),
    Asker("labels", vendor="azure", model="gpt-4.1", region="westeurope"),
    Asker("forms", vendor="azure", model="gpt-4.1", region="eastus2"),
    Asker("files", vendor="azure", model="o4-mini", region="westeurope", output_tokens=600),
    Asker("plans", vendor="azure", model="o4-mini", region="eastus2"),
)


def usual(asker: Asker, number: int) -> Pace:
    """Nothing happens."""
    return Pace()


def as_ever(asker: Asker, number: int) -> Asker:
    """It does what it always does."""
    return asker


def row_of(asker: Asker, calls: int, dice: random.Random, pace: Pace = Pace()) -> GroupRow:  # noqa: B008 - immutable
    """Calls of one minute; log-normal around what the model's speeds say, with the prompt's part in the first token."""
    ttft_ms, tokens_per_second = SPEEDS[asker.model]
    durations: list[float] = []
    ttfts: list[float] = []
    tokens: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for _ in range(calls):
        if dice.random() < pace.timeouts:
            statuses["timeout"] += 1
            durations.append(60_000.0)
            continue
        statuses["ok"] += 1
        asked = int(asker.input_tokens * math.exp(0.5 * dice.gauss(0, 1))) + 1
        answered = int(asker.output_tokens * math.exp(0.5 * dice.gauss(0, 1))) + 1
        first = ttft_ms * pace.ttft * math.exp(0.35 * dice.gauss(0, 1)) * (1 + asked / 20_000)
        rest = 1000 * pace.output * answered / tokens_per_second * math.exp(0.2 * dice.gauss(0, 1))
        tokens += Counter(input_tokens=asked, output_tokens=answered)
        durations.append(first + rest)
        if dice.random() < asker.streamed:
            ttfts.append(first)
    sums = GroupSums()
    sums.calls = calls
    sums.statuses = statuses
    sums.tokens = [tokens[name] for name in TOKEN_FIELDS]
    sums.durations, sums.ttfts = count_buckets(durations), count_buckets(ttfts)
    own = {
        "tenant": "acme",
        "team": "shop",
        "project": "web",
        "service": asker.service,
        "environment": "production",
        "vendor": asker.vendor,
        "model": asker.model,
        "region": asker.region,
        "operation": "chat",
        "service_tier": asker.service_tier,
    }
    return GroupRow({name: own.get(name, "") for name in GROUP_FIELDS}, sums)


def minutes(
    until: int,
    paces: Paces = usual,
    askers: Sequence[Asker] = ASKERS,
    changed: Changed = as_ever,
    since: int = 0,
) -> Iterator[TenantMinute]:
    """Whole minutes from START on; the same ones wherever they begin."""
    for number in range(since, until):
        rows = []
        for place, asker in enumerate(askers):
            dice = random.Random(1_000 * number + place)
            now = changed(asker, number)
            calls = sum(dice.random() < asker.calls_per_minute / 4 for _ in range(4))
            if calls and now is not None:
                rows.append(row_of(now, calls, dice, paces(now, number)))
        yield TenantMinute("acme", START + number, rows)


@cache
def _learnt(until: int, askers: tuple[Asker, ...]) -> bytes:
    detector = Latency()
    assert not told(minutes(until, askers=askers), detector)
    return detector.state()


def learnt(until: int, askers: Sequence[Asker] = ASKERS) -> Latency:
    """A detector that has seen usual minutes, and said nothing of them."""
    detector = Latency()
    detector.restore(_learnt(until, tuple(askers)))
    return detector


def told(scene: Iterable[TenantMinute], detector: Latency | None = None) -> dict[int, list[Condition]]:
    """What is said, by minute from START; only minutes in which something is."""
    detector = detector or Latency()
    said = {minute.minute - START: detector.observe(minute) for minute in scene}
    return {minute: conditions for minute, conditions in said.items() if conditions}


__all__ = ["ASKERS", "DAY", "START", "Asker", "Pace", "learnt", "minutes", "row_of", "told", "usual"]
