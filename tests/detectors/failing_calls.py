"""Made-up minutes of calls that are answered or fail, for scenes that the detector of errors is shown; seeded."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from streams.detectors.detector import Condition
from streams.detectors.errors import Errors
from streams.detectors.minute import GroupRow, TenantMinute
from streams.windows import GroupSums
from tokenweir.usage.event import GROUP_FIELDS

START = 29_376_000
DAY = 1_440


class Caller(NamedTuple):
    """A workload that calls one model so often."""

    service: str
    vendor: str = "openai"
    model: str = "gpt-5.4"
    region: str = ""
    calls_per_minute: float = 3.0


Shares = Callable[[Caller, int], tuple[float, float]]
"""The shares of errors and of rate limits at a minute, counted from START."""

OFFICE = (
    Caller("search"),
    Caller("chat"),
    Caller("mail", model="gpt-5.4-mini"),
    Caller("code", vendor="anthropic", model="claude-sonnet-5-5"),
    Caller("labels", vendor="azure", model="gpt-4.1", region="westeurope"),
    Caller("notes", vendor="azure", model="gpt-4.1", region="eastus2"),
    Caller("tags", vendor="azure", model="o4-mini", region="westeurope"),
)


def row(
    caller: Caller, calls: int, errors: int = 0, limited: int = 0, environment: str = "production"
) -> GroupRow:
    """Calls of one minute."""
    sums = GroupSums()
    sums.calls = calls
    sums.statuses = Counter(ok=calls - errors - limited, error=errors, rate_limited=limited)
    own = {
        "tenant": "acme",
        "team": "shop",
        "project": "web",
        "service": caller.service,
        "environment": environment,
        "vendor": caller.vendor,
        "model": caller.model,
        "region": caller.region,
        "operation": "chat",
        "service_tier": "standard",
    }
    return GroupRow({name: own.get(name, "") for name in GROUP_FIELDS}, sums)


def minutes(
    until: int, shares: Shares, callers: Sequence[Caller] = OFFICE, seed: int = 1
) -> Iterator[TenantMinute]:
    """Whole minutes from START on."""
    dice = random.Random(seed)
    for number in range(until):
        rows = []
        for caller in callers:
            calls = sum(dice.random() < caller.calls_per_minute / 6 for _ in range(6))
            errors_below, limits_share = shares(caller, number)
            luck = [dice.random() for _ in range(calls)]
            errors = sum(one < errors_below for one in luck)
            limited = sum(errors_below <= one < errors_below + limits_share for one in luck)
            if calls:
                rows.append(row(caller, calls, errors, limited))
        yield TenantMinute("acme", START + number, rows)


def told(scene: Iterator[TenantMinute], detector: Errors | None = None) -> dict[int, list[Condition]]:
    """What is said, by minute from START; only minutes in which something is."""
    detector = detector or Errors()
    said = {minute.minute - START: detector.observe(minute) for minute in scene}
    return {minute: conditions for minute, conditions in said.items() if conditions}
