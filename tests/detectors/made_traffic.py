"""Made traffic for the tests of migrations: workloads that share their calls out among models as they are told to."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from streams.detectors.detector import Condition, Surroundings
from streams.detectors.incidents import Incidents
from streams.detectors.migration import MigrationDetector
from streams.detectors.minute import GroupRow, TenantMinute
from streams.groups import EPOCH, MINUTE
from streams.windows import GroupSums
from tests.detectors.conditions import TENANT
from tokenweir.catalog import Catalog
from tokenweir.money import PICOS_PER_UNIT
from tokenweir.pricing import PriceBook
from tokenweir.settings import DetectionSettings
from tokenweir.signals import Signal
from tokenweir.usage.event import GROUP_FIELDS, TOKEN_FIELDS

START = datetime(2026, 10, 5, tzinfo=UTC)
"""A Monday."""

STEP_MINUTES = 10
OLD, NEW = "openai/gpt-5.4-mini", "deepseek/deepseek-v4-flash"

Shares = Mapping[str, float]


@dataclass(frozen=True)
class Made:
    """One workload. Hours count from the beginning of the run.

    shares: of its calls, by `vendor/model`. volume: a multiple of `calls_per_hour`. failing: the share of a model's
    calls that fail. cents: what a call costs, by model.
    """

    shares: Callable[[float], Shares]
    calls_per_hour: float = 30.0
    volume: Callable[[float], float] = lambda _: 1.0
    failing: Callable[[float, str], float] = lambda hour, model: 0.0
    cents: Mapping[str, float] = field(default_factory=lambda: {NEW: 0.5})
    names: Mapping[str, str] = field(
        default_factory=lambda: {"team": "search", "project": "shop", "service": "answers"}
    )
    starts: float = 0.0


def going(
    begins: float, lasts: float, share: float = 1.0, old: str = OLD, new: str = NEW
) -> Callable[[float], Shares]:
    """Shares of a workload that goes from one model to another on a straight line, from hour `begins` on."""

    def shares(hour: float) -> Shares:
        moved = share * min(1.0, max(0.0, (hour - begins) / lasts if lasts else float(hour >= begins)))
        return {old: 1 - moved, new: moved}

    return shares


def office(hour: float) -> float:
    """Busy by day, quiet by night and at weekends."""
    by_day = 2.5 if 7 <= hour % 24 < 18 else 0.15
    return by_day * (0.15 if hour // 24 % 7 >= 5 else 1.0)


def traffic(
    workloads: Sequence[Made], days: float, *, seed: int = 0, start: datetime = START
) -> Iterator[TenantMinute]:
    """A minute out of every STEP_MINUTES, with the calls of all of them."""
    random = Random(seed)
    first = (start - EPOCH) // MINUTE
    for offset in range(0, round(days * 1440), STEP_MINUTES):
        hour = offset / 60
        rows = []
        for workload in workloads:
            if hour < workload.starts:
                continue
            mean = workload.calls_per_hour * workload.volume(hour) * STEP_MINUTES / 60
            shares = workload.shares(hour)
            calls: dict[str, int] = {}
            for _ in range(_poisson(random, mean)):
                (model,) = random.choices(list(shares), list(shares.values()))
                calls[model] = calls.get(model, 0) + 1
            rows += [_row(workload, model, count, hour, random) for model, count in sorted(calls.items())]
        yield TenantMinute(TENANT, first + offset, rows)


def surroundings(book: PriceBook | None = None) -> Surroundings:
    """What a detector may ask: the built-in catalog and book."""
    return Surroundings(book or PriceBook.default(), Catalog.default(), DetectionSettings())


def told(
    minutes: Iterable[TenantMinute],
    *,
    detector: MigrationDetector | None = None,
    restart_every: int = 0,
) -> list[Signal]:
    """What is told of migrations in these minutes. restart_every: so many minutes another detector takes over."""
    around = surroundings()
    detector = detector or MigrationDetector(around)
    incidents = Incidents(TENANT)
    signals = []
    for number, minute in enumerate(minutes):
        if restart_every and number % restart_every == restart_every - 1:
            before, detector = detector, MigrationDetector(around)
            detector.restore(before.state())
            incidents = Incidents.restored(incidents.state())
        said: list[Condition] = detector.observe(minute)
        signals += incidents.tick(minute, said)
    return signals


def stages(signals: Iterable[Signal]) -> list[tuple[str, str, str]]:
    """(subject, state, stage) of each."""
    return [(signal.subject, signal.state, signal.evidence["stage"]) for signal in signals]


def hours_in(signal: Signal, start: datetime = START) -> float:
    """How many hours after the beginning it was seen."""
    return (signal.observed_at - start).total_seconds() / 3600


def _row(workload: Made, model: str, count: int, hour: float, random: Random) -> GroupRow:
    sums = GroupSums()
    failed = sum(random.random() < workload.failing(hour, model) for _ in range(count))
    answered = count - failed
    sums.calls = count
    sums.statuses.update({"ok": answered, "error": failed} if failed else {"ok": answered})
    sums.tokens = [
        answered * {"input_tokens": 900, "output_tokens": 200}.get(name, 0) for name in TOKEN_FIELDS
    ]
    sums.cost_picos = answered * round(workload.cents.get(model, 1.0) * PICOS_PER_UNIT / 100)
    sums.durations = {160: count}
    vendor, _, name = model.partition("/")
    names = dict.fromkeys(GROUP_FIELDS, "") | {
        "tenant": TENANT,
        "environment": "production",
        "operation": "chat",
        "service_tier": "standard",
        **workload.names,
        "vendor": vendor,
        "model": name,
    }
    return GroupRow(names, sums)


def _poisson(random: Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(random.gauss(mean, mean**0.5)))
    count, left = 0, random.expovariate(1.0)
    while left < mean:
        count, left = count + 1, left + random.expovariate(1.0)
    return count
