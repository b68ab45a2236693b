"""The demo: a simulated company's month through the real pipeline, and the ledger held to an independent sum.

The fleet's reports go to Kafka as any producer's would. As they go, a tally that shares no code with the meter, the
windows or the ledger adds them up by call; when all is stored, the ledger's figures must be the tally's, to the last
digit. What happened in the simulated company is written to story.json.
"""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from producers.delivery.sender import BlockingSender
from producers.emitter import Emitter
from producers.simulation import FleetSimulation
from producers.simulation.totals import Sums, TotalsTally
from sinks.clickhouse import queries
from sinks.clickhouse.incidents import incidents
from tokenweir.errors import WrongCall
from tokenweir.local.data_dir import DataDir
from tokenweir.local.pipeline import Doors, LocalPipeline
from tokenweir.local.thread import PipelineThread
from tokenweir.pricing import PriceBook
from tokenweir.settings import Settings

_FIGURES: Final = (
    "calls",
    "unpriced_calls",
    "input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "cost",
)
_LIVE_SEED_STEP: Final = 1_000_003
_SAY_EVERY_SECONDS: Final = 5.0
_WATCH_SECONDS: Final = 0.2

Say = Callable[[str], None] | None
Play = Callable[[PipelineThread, threading.Event, Say], "DemoSummary | None"]


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What to simulate. The same options at the same minute give the same events; with an `end`, at any minute.

    end: UTC; where the simulated time ends, cut down to its minute. None for now.
    """

    days: int
    seed: int
    calls_scale: float
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What went in, what the ledger holds, and whether the two are equal to the last digit.

    expected and ledger: figure by name, over distinct calls; `cost` is USD over priced calls. differences: figures
    that are not equal, also by vendor and by team. signals: incidents that the detectors opened, by kind.
    """

    reports: int
    repeated_reports: int
    expected: dict[str, int | Decimal]
    ledger: dict[str, int | Decimal]
    by_vendor: list[dict[str, Any]]
    differences: list[str]
    incidents: int
    signals: dict[str, int]
    story: str
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether the ledger's figures are those of the independent sum."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "exact": self.exact, "seconds": str(round(self.seconds, 1))}

    def as_text(self) -> list[str]:
        """For a person."""
        verdict = (
            "The ledger equals an independent sum over the events, to the last digit."
            if self.exact
            else "THE LEDGER DIFFERS: " + "; ".join(self.differences[:5])
        )
        return [
            f"{self.reports:,} reports of {self.ledger['calls']:,} calls in {self.seconds:.0f} s "
            f"({self.repeated_reports:,} reported twice and counted once)",
            f"{self.ledger['input_tokens']:,} input tokens ({self.ledger['cache_read_tokens']:,} from a cache), "
            f"{self.ledger['output_tokens']:,} output tokens",
            f"${self.ledger['cost']:,.2f} spent; {self.ledger['unpriced_calls']:,} calls have no price "
            "and are not in it",
            verdict,
            f"What happened in this company: {self.incidents} incidents in {self.story}",
            f"Signalled: {', '.join(f'{count} {kind}' for kind, count in self.signals.items()) or 'nothing'}; "
            "see `weir signals`",
        ]


def play_demo(
    place: DataDir, settings: Settings, options: DemoOptions, doors: Doors | None
) -> tuple[LocalPipeline, Play]:
    """The pipeline that the demo needs, and what to do once it runs.

    Empties the data directory's ledger if an earlier demo left it. Raises WrongCall where the directory holds any
    other ledger.
    """
    simulation = FleetSimulation(
        seed=options.seed,
        end=options.end or datetime.now(UTC),
        days=options.days,
        calls_scale=options.calls_scale,
    )
    overlay = place.path / "prices.toml"
    with place.locked():
        if place.ledger.exists() and not place.story.exists():
            raise WrongCall(
                f"{place.path} holds a ledger that is no demo's",
                hint="Name another directory with --data-dir",
            )
        place.story.write_text(simulation.story.to_json(), encoding="utf-8")
        shutil.rmtree(place.ledger, ignore_errors=True)
        place.kept_states.unlink(missing_ok=True)
        overlay.write_text(simulation.price_file, encoding="utf-8")
    pipeline = LocalPipeline(place, settings, doors=doors, overlay=overlay, detects=True)

    def play(thread: PipelineThread, interrupted: threading.Event, say: Say) -> DemoSummary | None:
        return _play(thread, simulation, interrupted, say)

    return pipeline, play


def _play(
    thread: PipelineThread, simulation: FleetSimulation, interrupted: threading.Event, say: Say
) -> DemoSummary | None:
    tell = say or (lambda _: None)
    pipeline = thread.pipeline
    began = said = time.monotonic()
    # A book of its own: one book serves one thread, and the meter has the pipeline's.
    tally = TotalsTally(
        PriceBook.default(
            pipeline.overlay, pipeline.recorded_prices, cache_dir=pipeline.settings.pricing.cache_dir
        )
    )
    with BlockingSender(pipeline.delivery) as sender:
        for batch in tally.watch(simulation.events()):
            for event in batch:
                sender.record_blocking(event)
            if interrupted.is_set():
                pipeline.hurry()
                return None
            pipeline.check()
            if time.monotonic() - said > _SAY_EVERY_SECONDS:
                said = time.monotonic()
                tell(f"{batch[-1].time:%d %B}: {tally.reports:,} reports sent")
    tell(f"{tally.reports:,} reports sent; waiting until all is stored")
    if not _all_stored(thread, interrupted):
        pipeline.hurry()
        return None
    return _summary(pipeline, simulation, tally, time.monotonic() - began)


def _all_stored(thread: PipelineThread, interrupted: threading.Event) -> bool:
    """Waits until all is stored; False where the person would not wait. Raises as LocalPipeline.check does."""
    for wait in (thread.pipeline.wait_until_stored, thread.pipeline.wait_until_signalled):
        done = thread.submit(wait())
        while not done.done():
            if interrupted.wait(_WATCH_SECONDS):
                done.cancel()
                return False
        done.result()
    return True


def _summary(
    pipeline: LocalPipeline, simulation: FleetSimulation, tally: TotalsTally, seconds: float
) -> DemoSummary:
    expected = tally.totals()
    (whole,) = queries.spend(pipeline.client, by=[]) or [{}]
    differences = _differences("total", expected.total, whole)
    by_vendor = queries.spend(pipeline.client, by=["vendor"])
    for name, groups in (("vendor", expected.by_vendor), ("team", expected.by_team)):
        rows = by_vendor if name == "vendor" else queries.spend(pipeline.client, by=[name])
        found = {row[name]: row for row in rows}
        for group in sorted(set(groups) | set(found)):
            differences += _differences(f"{name} {group}", groups.get(group, Sums()), found.get(group, {}))
    return DemoSummary(
        reports=expected.reports,
        repeated_reports=expected.repeated_reports,
        expected=_figures_of(expected.total),
        ledger={name: whole.get(name, 0) for name in _FIGURES},
        by_vendor=[
            {name: row[name] for name in ("vendor", "calls", "input_tokens", "output_tokens", "cost")}
            for row in by_vendor
        ],
        differences=differences,
        incidents=len(simulation.story.incidents),
        signals=dict(sorted(Counter(row["kind"] for row in incidents(pipeline.client)).items())),
        story=str(pipeline.data_dir.story),
        seconds=seconds,
    )


def _figures_of(sums: Sums) -> dict[str, int | Decimal]:
    return {name: getattr(sums, "cost_usd" if name == "cost" else name) for name in _FIGURES}


def _differences(what: str, expected: Sums, row: dict[str, Any]) -> list[str]:
    return [
        f"{what}: {name} is {row.get(name, 0)}, expected {value}"
        for name, value in _figures_of(expected).items()
        if (row.get(name) or 0) != value
    ]


@contextmanager
def live_events(pipeline: LocalPipeline, options: DemoOptions) -> Iterator[None]:
    """The same fleet goes on in real time while the context lasts, so that the page has something to show."""
    stop = threading.Event()
    now = datetime.now(UTC)
    simulation = FleetSimulation(
        seed=options.seed + _LIVE_SEED_STEP,
        end=now + timedelta(days=1),
        days=1,
        calls_scale=options.calls_scale,
        quiet=True,
    )

    def emit() -> None:
        with Emitter(pipeline.settings.kafka) as emitter:
            for batch in simulation.events():
                for event in batch:
                    if stop.wait(max(0.0, (event.time - datetime.now(UTC)).total_seconds())):
                        return
                    emitter.record(event)

    thread = threading.Thread(target=emit, name="tokenweir-live-fleet", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10)
