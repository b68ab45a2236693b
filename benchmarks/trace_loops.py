"""Services made of recorded traces, and the runaway loops that are planted in them.

A trace of about an hour is split into four services of very different size, a call at its own time with its own tokens.
A loop repeats one call of a service so many times as often as the service usually calls, for twenty minutes. One that
is worth less a day than the settings ask for is a control.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from benchmarks.loop_time import its_time_seconds
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.pricing import PriceBook
from tokenweir.settings import DetectionSettings
from tokenweir.usage import UsageEvent

HOUR_MS: Final = 3_600_000
LEARNING_HOURS: Final = 8 * 24
RATIOS: Final = (10, 50, 1000)
START: Final = datetime(2026, 11, 2, tzinfo=UTC)
TENANT: Final = "traces"
_SHARES: Final = {"main": 0.889, "tenth": 0.1, "hundredth": 0.01, "thousandth": 0.001}
"""Of a trace's calls, by service."""
_MOST_CALLS_A_SECOND: Final = 40.0
_APART_HOURS: Final = 1


class Request(NamedTuple):
    """One call of a trace. at_ms: from the trace's beginning."""

    at_ms: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int


class Service(NamedTuple):
    """One service's calls of an hour."""

    scope: dict[str, str]
    vendor: str
    model: str
    requests: list[Request]

    def event(self, request: Request, at: datetime, name: str) -> UsageEvent:
        """The report of this call at another time."""
        return UsageEvent.model_validate(
            {
                **self.scope,
                "id": name,
                "source": "trace",
                "time": at,
                "vendor": self.vendor,
                "model": self.model,
                "input_tokens": request.input_tokens,
                "cache_read_tokens": request.cached_tokens,
                "output_tokens": request.output_tokens,
            }
        )


class Loop(NamedTuple):
    """A planted loop. is_worth_telling: whether it costs as much a day as the settings ask for."""

    service: Service
    ratio: int
    begins_ms: int
    repeated: Request
    is_worth_telling: bool

    @property
    def its_time_seconds(self) -> float:
        """Within what time it is to be told."""
        return its_time_seconds(self.ratio * len(self.service.requests) / 60)

    @property
    def started_at(self) -> datetime:
        """When it begins."""
        return START + timedelta(milliseconds=self.begins_ms)


def services_of(folder: Path) -> list[Service]:
    """The traces in `folder`, each split; none where they are not there."""
    names = {
        "azure_2023_code.csv": ("code", "azure", "gpt-5.4-mini"),
        "azure_2023_conv.csv": ("chat", "openai", "gpt-6-luna"),
        "kimi_conversation.jsonl": ("kimi", "moonshot", "kimi-k2.6"),
    }
    if not all((folder / name).exists() for name in names):
        return []
    found = []
    for name, (team, vendor, model) in names.items():
        path = folder / name
        requests = [
            one for one in (_azure(path) if path.suffix == ".csv" else _kimi(path)) if one.at_ms < HOUR_MS
        ]
        dice = Random(name)
        parts = dice.choices(range(len(_SHARES)), list(_SHARES.values()), k=len(requests))
        for number, size in enumerate(_SHARES):
            scope = {
                "tenant": TENANT,
                "project": "traces",
                "team": team,
                "service": f"{team}-{size}",
                "environment": "production",
            }
            own = [request for request, part in zip(requests, parts, strict=True) if part == number]
            if own:
                found.append(Service(scope, vendor, model, own))
    return found


def _azure(path: Path) -> Iterator[Request]:
    begins = None
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["TIMESTAMP"][:26])
            begins = begins or at
            yield Request(
                (at - begins) // timedelta(milliseconds=1),
                int(row["ContextTokens"]),
                0,
                int(row["GeneratedTokens"]),
            )


def _kimi(path: Path) -> Iterator[Request]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            read = json.loads(line)
            yield Request(
                read["timestamp_ms"],
                read["input_length"],
                min(read["cached_prefix_length"], read["input_length"]),
                read["output_length"],
            )


def planted(services: Sequence[Service], seed: int, hours: int) -> list[Loop]:
    """A loop each hour or so, of any service that can make so many calls."""
    dice = Random(f"loops/{seed}")
    book, settings = PriceBook.default(), DetectionSettings()
    usd_an_hour = {id(one): sum(_usd(book, one, request) for request in one.requests) for one in services}
    least = max(
        settings.spike_min_usd_per_day, settings.spike_share_of_spend * 24 * sum(usd_an_hour.values())
    )
    loops: list[Loop] = []
    for hour in range(0, hours - _APART_HOURS + 1, _APART_HOURS):
        ratio = RATIOS[len(loops) % len(RATIOS)]
        # Nothing else may be told of a service: its loop before has to be over and resolved. And what was too little
        # to be told is its past from then on.
        untold = [loop.service for loop in loops if not loop.is_worth_telling]
        able = [
            one
            for one in services
            if len(one.requests) * ratio <= _MOST_CALLS_A_SECOND * 3600
            and (not loops or one is not loops[-1].service)
            and not any(one is service for service in untold)
        ]
        service = dice.choice(able)
        repeated = dice.choice(service.requests)
        begins_ms = (LEARNING_HOURS + hour) * HOUR_MS + dice.randrange(5 * 60_000, 30 * 60_000)
        worth = ratio * len(service.requests) * 24 * _usd(book, service, repeated)
        loops.append(Loop(service, ratio, begins_ms, repeated, worth >= least))
    return loops


def _usd(book: PriceBook, service: Service, request: Request) -> float:
    cost = book.price(service.event(request, START, "priced")).cost_picos
    if cost is None:
        raise ValueError(f"{service.vendor}/{service.model} has no price: the trace needs another model")
    return cost / PICOS_PER_UNIT
