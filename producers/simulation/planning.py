"""Chooses what happens to a fleet: from a seed and a span of time to a plot and the story that tells it.

Targets do not overlap: a workload is part of one incident at most, and the controls are none of them. What does
not fit into a short run is left out: an outage and a loop need a day, a pack three, the slow moves ten.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from producers.simulation.fleet import FAILOVERS, Workload
from producers.simulation.models import MODELS, UNPRICED_MODELS
from producers.simulation.plot import DAY_MS, HOUR_MS, MINUTE_MS, Loop, Outage, Pack, Plot, Retired, Shift
from producers.simulation.pricelist import PRICES_BEFORE
from producers.simulation.story import Contributor, Control, Incident, Move

DAYS_FOR_MOVES: Final = 10
DAYS_FOR_PACK: Final = 3

_COSTLIER: Final = frozenset(
    {
        "openai/gpt-5.4",
        "openai/gpt-5.4-mini",
        "openai/gpt-4.1",
        "azure/gpt-4.1",
        "azure/gpt-5.4-mini",
        "anthropic/claude-sonnet-5-5",
        "anthropic/claude-sonnet-4-5",
        "anthropic/claude-haiku-4-5",
        "aws/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "google/gemini-2.5-pro",
        "moonshot/kimi-k3",
    }
)
"""Models that cost more per call than any of PRICES_BEFORE after its cut, at the prices of autumn 2026."""

_RETIRING: Final = {
    "openai/gpt-4.1": "openai/gpt-5.4-mini",
    "google/gemini-2.5-flash": "google/gemini-3.8-flash",
    "anthropic/claude-sonnet-4-5": "anthropic/claude-sonnet-5-5",
}
_FAILING: Final = ("openai", "anthropic", "google")
_PACKED: Final = {
    "moonshot/kimi-k2.6": "kimi-welcome",
    "volcengine/doubao-seed-1.8": "ark-starter",
    "baidu/ernie-4.5-turbo-128k": "qianfan-starter",
}
_LOOPING_SHAPES: Final = frozenset({"agent", "retrieval", "assistant", "extract"})
_MOVING_SHAPES: Final = frozenset({"assistant", "retrieval", "summarise", "extract", "agent"})
_GROWTH_PER_DAY: Final = 0.025


def plan(
    random: Random, workloads: Sequence[Workload], *, tenant: str, started_ms: int, days: int
) -> tuple[Plot, tuple[Incident, ...], tuple[Control, ...]]:
    """A plot for `workloads` over `days` from `started_ms`, and its truth: incidents by time of beginning, controls."""
    planner = _Planner(random, workloads, tenant, started_ms, days)
    if days >= DAYS_FOR_MOVES:
        planner.retirement()
        planner.price_cut()
    if days >= DAYS_FOR_PACK:
        planner.free_pack()
    planner.outage()
    planner.loop()
    planner.controls()
    plot = Plot(
        shifts=planner.shifts,
        growth_per_day=planner.growth_per_day,
        outage=planner.planned_outage,
        loop=planner.planned_loop,
        pack=planner.planned_pack,
        retired=planner.planned_retired,
    )
    incidents = tuple(sorted(planner.incidents, key=lambda incident: (incident.started_at, incident.id)))
    return plot, incidents, tuple(planner.found_controls)


def moment(at_ms: int) -> datetime:
    """Unix milliseconds as a UTC time, exactly."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)


class _Planner:
    def __init__(
        self, random: Random, workloads: Sequence[Workload], tenant: str, started_ms: int, days: int
    ) -> None:
        self._random = random
        self._workloads = workloads
        self._tenant = tenant
        self._started_ms = started_ms
        self._span_ms = days * DAY_MS
        self._taken: set[str] = set()
        self._cut_model = ""
        self.shifts: dict[str, tuple[Shift, ...]] = {}
        self.growth_per_day: dict[str, float] = {}
        self.planned_outage: Outage | None = None
        self.planned_loop: Loop | None = None
        self.planned_pack: Pack | None = None
        self.planned_retired: Retired | None = None
        self.incidents: list[Incident] = []
        self.found_controls: list[Control] = []

    def retirement(self) -> None:
        """A model stops at a date. Its workloads go to the successor one by one; the last one only after the date."""
        random = self._random
        model = random.choice(sorted(_RETIRING))
        successor = _RETIRING[model]
        deadline_ms = self._part(0.60, 0.70)
        announced_ms = deadline_ms - int(self._span_ms * 0.30)
        callers = [workload for workload in self._free() if workload.model == model]
        random.shuffle(callers)
        moves = []
        for workload in callers[1:]:
            begins_ms = announced_ms + int((deadline_ms - announced_ms) * random.uniform(0.1, 0.7))
            ends_ms = min(begins_ms + int(random.uniform(0.5, 2.5) * DAY_MS), deadline_ms - 2 * HOUR_MS)
            moves.append(self._move(workload, successor, begins_ms, ends_ms, 1.0))
        laggard = callers[0]
        noticed_ms = deadline_ms + int(random.uniform(3, 7) * HOUR_MS)
        moves.append(self._move(laggard, successor, noticed_ms, noticed_ms + 10 * MINUTE_MS, 1.0))
        self.planned_retired = Retired(model, deadline_ms)
        habits = MODELS[model]
        self._tell(
            Incident(
                id="retirement",
                kind="retirement",
                scope={"vendor": habits.vendor, "model": habits.model},
                started_at=moment(announced_ms),
                ended_at=moment(noticed_ms + 10 * MINUTE_MS),
                cause=f"{habits.vendor} retires {habits.model} on {moment(deadline_ms):%Y-%m-%d %H:%M} UTC; "
                f"its successor is {MODELS[successor].model}. {laggard.name} moves only after its calls fail.",
                contributors=(
                    Contributor(
                        component="model_mix", scope={"vendor": habits.vendor, "model": habits.model}
                    ),
                    Contributor(component="errors", scope=self._scope(laggard)),
                ),
                magnitude={
                    "workloads": float(len(callers)),
                    "deadline_unix_ms": float(deadline_ms),
                    "failing_hours": round((noticed_ms - deadline_ms) / HOUR_MS, 2),
                    "calls_per_day": sum(workload.calls_per_day for workload in callers),
                },
                moves=tuple(moves),
            )
        )

    def price_cut(self) -> None:
        """One vendor cuts a price by half or more; within days some workloads of costlier models go there."""
        random = self._random
        target = random.choice(sorted(PRICES_BEFORE))
        self._cut_model = target
        habits = MODELS[target]
        cut_ms = self._part(0.18, 0.30)
        candidates = [
            workload
            for workload in self._free()
            if workload.vendor != habits.vendor
            and workload.shape in _MOVING_SHAPES
            and workload.environment == "production"
            and workload.service_tier == "standard"
            and workload.model in _COSTLIER
            and 90 <= workload.calls_per_day <= 500
        ]
        movers = sorted(random.sample(candidates, random.randint(4, 6)), key=lambda workload: workload.name)
        day_ms = int(self._span_ms / 30)
        moves = []
        for number, workload in enumerate(movers):
            begins_ms = cut_ms + int(random.uniform(0.2, 2.5) * day_ms)
            ends_ms = begins_ms + int(random.uniform(1.5, 5) * day_ms)
            share = 0.5 if number == 0 else random.choice((0.9, 0.95, 1.0))
            moves.append(self._move(workload, target, begins_ms, ends_ms, share))
        self._tell(
            Incident(
                id="price-cut",
                kind="price_cut",
                scope={"vendor": habits.vendor, "model": habits.model},
                started_at=moment(cut_ms),
                ended_at=max(move.ended_at for move in moves),
                cause=f"{habits.vendor} cuts the price of {habits.model} below that of the models in use; "
                f"{len(moves)} workloads move to it",
                contributors=(
                    Contributor(component="price", scope={"vendor": habits.vendor, "model": habits.model}),
                    Contributor(
                        component="model_mix", scope={"vendor": habits.vendor, "model": habits.model}
                    ),
                ),
                magnitude={
                    "workloads": float(len(moves)),
                    "moved_calls_per_day": round(
                        sum(w.calls_per_day * move.share for w, move in zip(movers, moves, strict=True)), 1
                    ),
                },
                moves=tuple(moves),
            )
        )

    def free_pack(self) -> None:
        """Free tokens run out: the same calls go on, from a date on without the pack's tag."""
        random = self._random
        free_models = {workload.model for workload in self._free()}
        model = random.choice([name for name in sorted(_PACKED) if name in free_models - {self._cut_model}])
        exhausted_ms = self._part(0.35, 0.45)
        covered = [workload for workload in self._free() if workload.model == model]
        self._taken.update(workload.name for workload in covered)
        habits = MODELS[model]
        self.planned_pack = Pack(
            _PACKED[model], frozenset(workload.name for workload in covered), model, exhausted_ms
        )
        self._tell(
            Incident(
                id="free-pack",
                kind="free_pack_exhausted",
                scope={"vendor": habits.vendor, "model": habits.model},
                started_at=moment(exhausted_ms),
                ended_at=moment(self._started_ms + self._span_ms),
                cause=f"the free token pack {_PACKED[model]} of {habits.vendor} is used up; "
                "the same calls are billed from here on",
                contributors=tuple(
                    Contributor(component="allowance", scope=self._scope(workload)) for workload in covered
                ),
                magnitude={"calls_per_day": sum(workload.calls_per_day for workload in covered)},
            )
        )

    def outage(self) -> None:
        """A vendor fails for forty minutes of an afternoon; production chat goes elsewhere and comes back."""
        random = self._random
        vendor = random.choice(_FAILING)
        begins_ms = self._in_hours(0.46, 0.56, 13, 16)
        ends_ms = begins_ms + 40 * MINUTE_MS
        self.planned_outage = Outage(vendor, begins_ms, ends_ms, round(random.uniform(0.85, 0.97), 2))
        self._tell(
            Incident(
                id="outage",
                kind="vendor_outage",
                scope={"vendor": vendor},
                started_at=moment(begins_ms),
                ended_at=moment(ends_ms),
                cause=f"{vendor} answers with errors and timeouts; production chat fails over to "
                f"{FAILOVERS[vendor]} and returns within ten minutes of the end",
                contributors=(Contributor(component="errors", scope={"vendor": vendor}),),
                magnitude={"error_share": self.planned_outage.error_share, "minutes": 40.0},
            )
        )
        self.found_controls.append(
            Control(
                id="failover",
                kind="brief_failover",
                scope={"vendor": MODELS[FAILOVERS[vendor]].vendor},
                reason="takes the failing vendor's traffic for less than an hour: no migration",
            )
        )

    def loop(self) -> None:
        """One service calls itself in circles for about two hours."""
        random = self._random
        workload = random.choice(
            [
                workload
                for workload in self._free()
                if workload.shape in _LOOPING_SHAPES
                and workload.environment == "production"
                and workload.model not in UNPRICED_MODELS
                and 90 <= workload.calls_per_day <= 350
            ]
        )
        begins_ms = self._part(0.72, 0.90) // MINUTE_MS * MINUTE_MS
        ends_ms = begins_ms + random.randint(100, 140) * MINUTE_MS
        ratio = round(50 * 8 ** random.random(), 1)
        self._taken.add(workload.name)
        self.planned_loop = Loop(workload.name, begins_ms, ends_ms, ratio)
        habits = MODELS[workload.model]
        per_hour = workload.calls_per_day / 24
        self._tell(
            Incident(
                id="runaway-loop",
                kind="runaway_loop",
                scope=self._scope(workload),
                started_at=moment(begins_ms),
                ended_at=moment(ends_ms),
                cause=f"{workload.name} repeats its calls to {habits.model} without end",
                contributors=(Contributor(component="calls", scope=self._scope(workload)),),
                magnitude={
                    "calls_ratio": ratio,
                    "mean_calls_per_hour_before": round(per_hour, 2),
                    "mean_extra_calls_per_hour": round(per_hour * ratio, 2),
                    "minutes": (ends_ms - begins_ms) / MINUTE_MS,
                },
            )
        )

    def controls(self) -> None:
        """What looks like an incident and is none, and workloads to which nothing happens at all."""
        random = self._random
        quiet = [workload for workload in self._free() if workload.environment == "production"]
        nightly = random.choice([workload for workload in quiet if workload.rhythm == "nightly"])
        growing = random.choice([workload for workload in quiet if workload.rhythm == "office"])
        self.growth_per_day[growing.name] = _GROWTH_PER_DAY
        self._control(
            "nightly-batch",
            "nightly_batch",
            nightly,
            "works through its queue every night, and less at weekends",
        )
        self._control(
            "growth", "steady_growth", growing, f"grows by {_GROWTH_PER_DAY:.1%} a day, by more users"
        )
        if self.planned_retired and self.planned_retired.model == "openai/gpt-4.1":
            self.found_controls.append(
                Control(
                    id="same-model-elsewhere",
                    kind="same_model_elsewhere",
                    scope={"vendor": "azure", "model": "gpt-4.1"},
                    reason="the model retires at openai only",
                )
            )
        outage_vendor = self.planned_outage.vendor if self.planned_outage else ""
        untouched = [w for w in quiet if w not in (nightly, growing) and w.vendor != outage_vendor]
        for number, workload in enumerate(random.sample(untouched, 6)):
            self._control(f"quiet-{number + 1}", "quiet", workload, "nothing is planted here")

    def _free(self) -> list[Workload]:
        return [workload for workload in self._workloads if workload.name not in self._taken]

    def _part(self, low: float, high: float) -> int:
        """A time between two shares of the span, on a full minute after its beginning."""
        offset_ms = int(self._span_ms * self._random.uniform(low, high))
        return self._started_ms + offset_ms // MINUTE_MS * MINUTE_MS

    def _in_hours(self, low: float, high: float, first_hour: int, last_hour: int) -> int:
        """A time between two shares of the span, on a UTC working day and hour where the span holds one."""
        around_ms = self._part(low, high)
        latest_ms = self._started_ms + self._span_ms - 2 * HOUR_MS
        choices = []
        for offset in range(-4, 5):
            day_ms = (around_ms // DAY_MS + offset) * DAY_MS
            at_ms = day_ms + self._random.randint(first_hour * 60, last_hour * 60) * MINUTE_MS
            if self._started_ms + HOUR_MS <= at_ms <= latest_ms and moment(at_ms).weekday() < 5:
                choices.append((abs(at_ms - around_ms), at_ms))
        return min(choices)[1] if choices else around_ms

    def _move(self, workload: Workload, to_model: str, begins_ms: int, ends_ms: int, share: float) -> Move:
        self._taken.add(workload.name)
        self.shifts[workload.name] = (Shift(to_model, begins_ms, ends_ms, share),)
        source, target = MODELS[workload.model], MODELS[to_model]
        return Move(
            scope=self._scope(workload),
            from_vendor=source.vendor,
            from_model=source.model,
            to_vendor=target.vendor,
            to_model=target.model,
            started_at=moment(begins_ms),
            ended_at=moment(ends_ms),
            share=share,
        )

    def _scope(self, workload: Workload) -> dict[str, str]:
        return {
            "tenant": self._tenant,
            "team": workload.team.name,
            "project": workload.team.project,
            "service": workload.service,
            "environment": workload.environment,
        }

    def _tell(self, incident: Incident) -> None:
        self.incidents.append(incident)

    def _control(self, name: str, kind: str, workload: Workload, reason: str) -> None:
        self._taken.add(workload.name)
        self.found_controls.append(
            Control.model_validate(
                {"id": name, "kind": kind, "scope": self._scope(workload), "reason": reason}
            )
        )
