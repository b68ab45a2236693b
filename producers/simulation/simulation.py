"""FleetSimulation: the fleet's reports in the order in which they arrive, minute by minute.

Deterministic: the same arguments give the same bytes, in every process and under every hash seed. It reads no
clock: the run's end is an argument. Time zones come from the system's or the tzdata package's rules.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from producers.simulation.calls import Caller
from producers.simulation.fleet import WORKLOADS, Workload
from producers.simulation.planning import moment, plan
from producers.simulation.plot import DAY_MS, MINUTE_MS, Plot
from producers.simulation.pricelist import price_file
from producers.simulation.rhythm import RHYTHMS
from producers.simulation.story import Story
from tokenweir.errors import WrongCall
from tokenweir.usage import UsageEvent

DEFAULT_TENANT: Final = "brightwater"
MOST_DAYS: Final = 400

_SLOT_MS: Final = 15 * MINUTE_MS
_SLOTS_PER_DAY: Final = DAY_MS // _SLOT_MS
_DAILY_NOISE: Final = 0.06
_KNUTH_LIMIT: Final = 30.0

Arrival = tuple[int, UsageEvent]
"""Unix milliseconds at which a report arrives, and the report."""


class FleetSimulation:
    """A company's fleet over `days` whole days before `end`.

    seed: any integer; another seed is another story in the same company. end: aware, cut down to its minute; the
    last event lies before it. calls_scale: 1 gives some 500,000 reports in thirty days; the runaway loop
    and everything else scale with it. quiet: nothing happens; the story is empty.
    Raises WrongCall for a naive `end` or an argument out of range.
    """

    def __init__(
        self,
        *,
        seed: int,
        end: datetime,
        days: int = 30,
        calls_scale: float = 1.0,
        tenant: str = DEFAULT_TENANT,
        quiet: bool = False,
    ) -> None:
        if end.tzinfo is None:
            raise WrongCall(
                "the simulation's end has no time zone", hint="Pass an aware datetime, best in UTC."
            )
        if not 1 <= days <= MOST_DAYS:
            raise WrongCall(f"cannot simulate {days} days", hint=f"Ask for 1 to {MOST_DAYS}.")
        if not 0 < calls_scale <= 1000:
            raise WrongCall(
                f"cannot scale the calls by {calls_scale}", hint="Ask for more than 0, at most 1000."
            )
        self._seed = seed
        self._days = days
        self._scale = calls_scale
        self._tenant = tenant
        end_utc = end.astimezone(UTC).replace(second=0, microsecond=0)
        self._ended_ms = int(end_utc.timestamp()) * 1000
        self._started_ms = self._ended_ms - days * DAY_MS
        self._plot, incidents, controls = (
            (Plot(), (), ())
            if quiet
            else plan(
                Random(f"{seed}/plan"), WORKLOADS, tenant=tenant, started_ms=self._started_ms, days=days
            )
        )
        self.story: Final = Story(
            tenant=tenant,
            seed=seed,
            days=days,
            calls_scale=calls_scale,
            started_at=moment(self._started_ms),
            ended_at=moment(self._ended_ms),
            incidents=incidents,
            controls=controls,
        )

    def events(self) -> Iterator[list[UsageEvent]]:
        """Batches of reports, one a minute of arrival, oldest first; minutes without a report are left out.

        A call that is reported twice, sent again or reported late is in the batches as often and as late as it
        arrives; reports that arrive after the end come in the last batches. Can be called again: the same again.
        """
        waiting: defaultdict[int, list[Arrival]] = defaultdict(list)

        def report(arrives_ms: int, event: UsageEvent) -> None:
            if event.time < self.story.ended_at:
                waiting[arrives_ms // MINUTE_MS].append((arrives_ms, event))

        sources = [_Source(self, workload) for workload in WORKLOADS]
        loop_source = self._loop_source()
        for slot in range(self._days * _SLOTS_PER_DAY):
            slot_ms = self._started_ms + slot * _SLOT_MS
            for source in sources:
                for at_ms in source.times(slot, slot_ms):
                    source.caller.call(at_ms, report)
            if loop_source:
                for at_ms in loop_source.times(slot_ms):
                    loop_source.caller.call(at_ms, report)
            # One slot is held back: a poorer report may arrive a moment before the call that it belongs to.
            yield from _arrived(waiting, (slot_ms - _SLOT_MS) // MINUTE_MS)
        yield from _arrived(waiting, None)

    @property
    def price_file(self) -> str:
        """The company's own prices for this run, as TOML for the price book's overlay; without it no price is cut."""
        cuts = self.story.of_kind("price_cut")
        scope = cuts[0].scope if cuts else {}
        return price_file(
            cut_model=f"{scope['vendor']}/{scope['model']}" if cuts else None,
            started_at=self.story.started_at,
            cut_at=cuts[0].started_at if cuts else None,
            batch_models={workload.model for workload in WORKLOADS if workload.service_tier == "batch"},
        )

    def caller(self, workload: Workload, stream: str) -> tuple[Random, Caller]:
        """A generator of its own for one workload's stream ("usual" or "loop"), and its caller."""
        random = Random(f"{self._seed}/{stream}/{workload.name}")
        return random, Caller(workload, self._plot, self._tenant, random)

    def calls_per_slot(self, workload: Workload) -> float:
        """A workload's mean calls in a quarter of an hour."""
        return workload.calls_per_day * self._scale / _SLOTS_PER_DAY

    def growth(self, workload: Workload, slot: int) -> float:
        """What a workload has grown by until a slot, as a factor."""
        rate = self._plot.growth_per_day.get(workload.name, 0.0)
        return float((1 + rate) ** (slot / _SLOTS_PER_DAY)) if rate else 1.0

    def _loop_source(self) -> "_LoopSource | None":
        loop = self._plot.loop
        if loop is None:
            return None
        workload = next(workload for workload in WORKLOADS if workload.name == loop.workload)
        return _LoopSource(self, workload, loop.begins_ms, loop.ends_ms, loop.ratio)


class _Source:
    """When one workload calls: Poisson around its rhythm, each day a little more or less than the last."""

    def __init__(self, simulation: FleetSimulation, workload: Workload) -> None:
        self._random, self.caller = simulation.caller(workload, "usual")
        self._simulation = simulation
        self._workload = workload
        self._mean = simulation.calls_per_slot(workload)
        self._rhythm = RHYTHMS[workload.rhythm]
        self._zone = ZoneInfo(workload.team.time_zone)
        self._day = -1
        self._day_factor = 1.0

    def times(self, slot: int, slot_ms: int) -> list[int]:
        local = moment(slot_ms + _SLOT_MS // 2).astimezone(self._zone)
        if local.day != self._day:
            self._day = local.day
            self._day_factor = math.exp(_DAILY_NOISE * self._random.gauss(0, 1))
        mean = self._mean * self._rhythm.weight(local) * self._day_factor
        mean *= self._simulation.growth(self._workload, slot)
        return _times(self._random, mean, slot_ms, slot_ms + _SLOT_MS)


class _LoopSource:
    """The extra calls of a runaway loop: evenly over its time, whatever the hour."""

    def __init__(
        self, simulation: FleetSimulation, workload: Workload, begins_ms: int, ends_ms: int, ratio: float
    ) -> None:
        self._random, self.caller = simulation.caller(workload, "loop")
        self._begins_ms = begins_ms
        self._ends_ms = ends_ms
        self._mean_per_ms = simulation.calls_per_slot(workload) * ratio / _SLOT_MS

    def times(self, slot_ms: int) -> list[int]:
        first_ms = max(slot_ms, self._begins_ms)
        last_ms = min(slot_ms + _SLOT_MS, self._ends_ms)
        if first_ms >= last_ms:
            return []
        return _times(self._random, self._mean_per_ms * (last_ms - first_ms), first_ms, last_ms)


def _times(random: Random, mean: float, first_ms: int, end_ms: int) -> list[int]:
    width_ms = end_ms - first_ms
    draw = random.random
    return [first_ms + int(draw() * width_ms) for _ in range(_poisson(random, mean))]


def _poisson(random: Random, mean: float) -> int:
    if mean > _KNUTH_LIMIT:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit = math.exp(-mean)
    product = random.random()
    count = 0
    while product > limit:
        count += 1
        product *= random.random()
    return count


def _arrived(
    waiting: defaultdict[int, list[Arrival]], before_minute: int | None
) -> Iterator[list[UsageEvent]]:
    for minute in sorted(waiting):
        if before_minute is not None and minute >= before_minute:
            break
        yield [event for _, event in sorted(waiting.pop(minute), key=itemgetter(0))]
