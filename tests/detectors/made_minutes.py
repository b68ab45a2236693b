"""Small made-up fleets, minute by minute, for scenes that a detector is shown: no simulation, no files, seeded."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from streams.detectors.minute import GroupRow, TenantMinute
from streams.windows import GroupSums
from tokenweir.usage.event import GROUP_FIELDS, TOKEN_FIELDS

START_MINUTE: Final = 29_376_000
"""2025-11-08T00:00:00Z, a Saturday."""

DAY: Final = 1_440
_PICOS: Final = 10**12


@dataclass(frozen=True)
class Traffic:
    """What one workload does on one model. usd_per_token: of input; output costs four times, cached a tenth."""

    team: str = "search"
    service: str = "ranker"
    project: str = "shop"
    api_key: str = "key-1"
    vendor: str = "openai"
    model: str = "gpt-5-mini"
    calls_per_minute: float = 4.0
    input_tokens: int = 2_000
    output_tokens: int = 300
    cached_share: float = 0.0
    usd_per_token: float = 1e-6
    office_hours: bool = False

    def row(self, dice: random.Random, minute: int) -> GroupRow | None:
        """Its calls of one minute; None where there are none."""
        busy = 1.0
        if self.office_hours:
            weekend = minute // DAY % 7 in (2, 3)
            busy = (1.6 if 8 <= minute % DAY / 60 < 18 else 0.15) * (0.2 if weekend else 1.0)
        mean = self.calls_per_minute * busy
        calls = int(mean) + (dice.random() < mean - int(mean))
        calls = max(0, calls + dice.randint(-1, 1)) if calls > 2 else calls
        if not calls:
            return None
        inputs = int(calls * self.input_tokens * dice.uniform(0.8, 1.2))
        outputs = int(calls * self.output_tokens * dice.uniform(0.8, 1.2))
        cached = int(inputs * self.cached_share)
        cost = (inputs - 0.9 * cached + 4 * outputs) * self.usd_per_token
        sums = GroupSums()
        sums.calls = calls
        sums.statuses = Counter(ok=calls)
        figures = {"input_tokens": inputs, "cache_read_tokens": cached, "output_tokens": outputs}
        sums.tokens = [figures.get(name, 0) for name in TOKEN_FIELDS]
        sums.cost_picos = int(cost * _PICOS)
        return GroupRow(self._names(), sums)

    def _names(self) -> dict[str, str]:
        own = {
            "tenant": "acme",
            "team": self.team,
            "service": self.service,
            "project": self.project,
            "environment": "production",
            "api_key": self.api_key,
            "vendor": self.vendor,
            "model": self.model,
            "operation": "chat",
            "service_tier": "standard",
        }
        return {name: own.get(name, "") for name in GROUP_FIELDS}


Change = Callable[[Traffic, int], Traffic]
"""What becomes of a workload's traffic at a minute counted from the beginning."""


def fleet(count: int = 6, **fields: object) -> list[Traffic]:
    """Workloads of three teams, on two models of two vendors."""
    return [
        Traffic(
            team=f"team-{number % 3}",
            service=f"service-{number}",
            project=f"project-{number % 2}",
            api_key=f"key-{number % 3}",
            vendor=("openai", "anthropic")[number % 2],
            model=("gpt-5-mini", "claude-haiku-4-5")[number % 2],
            calls_per_minute=3.0 + number,
            **fields,  # type: ignore[arg-type]
        )
        for number in range(count)
    ]


def minutes(
    traffic: Sequence[Traffic], days: float, change: Change | None = None, seed: int = 1
) -> Iterator[TenantMinute]:
    """Whole minutes of a tenant, silent ones too."""
    dice = random.Random(seed)
    for number in range(int(days * DAY)):
        rows = []
        for one in traffic:
            row = (change(one, number) if change else one).row(dice, START_MINUTE + number)
            if row is not None:
                rows.append(row)
        yield TenantMinute("acme", START_MINUTE + number, rows)


def during(service: str, begin: int, end: int, **fields: object) -> Change:
    """The traffic of one service ("" for all) is this, from `begin` up to but not `end` (minutes from the start)."""

    def change(traffic: Traffic, number: int) -> Traffic:
        if begin <= number < end and service in ("", traffic.service):
            return replace(traffic, **fields)  # type: ignore[arg-type]
        return traffic

    return change
