"""A real ledger with thirty days of the simulated fleet in it, and what every call of them was.

Reports go through the real meter into the sink's own ledger; `Month.calls` is what an independent reader would keep
of them: each (tenant, id) once, the fuller report, among equals the later one.
"""

import fcntl
import json
import pickle
import shutil
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from dashboards.panels.panel import Panel
from dashboards.panels.question import Choice, ask
from dashboards.period import Period
from producers.simulation import FleetSimulation
from sinks.clickhouse import ClickHouseLedger, connect, migrate
from sinks.clickhouse.price_book import write_models, write_price_book
from streams.meter import Meter
from tests.detectors.feeding import book_of
from tokenweir.catalog import Catalog
from tokenweir.local.read_only import ReadOnlyLedger
from tokenweir.settings import ClickHouseSettings
from tokenweir.signals import Signal
from tokenweir.usage.version import FULLNESS_FIELDS
from tokenweir.usage.wire import HEADERS, encode_batch

DATABASE: Final = "tokenweir"
END: Final = datetime(2026, 11, 20, tzinfo=UTC)
SEED: Final = 1
DAYS: Final = 30
CALLS_SCALE: Final = 0.02
_AT_ONCE: Final = 1_000


class PanelLedger:
    """An embedded ledger that panels are asked of. One process can have one open at a time."""

    def __init__(self, directory: str) -> None:
        self._settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{directory}"), database=DATABASE)
        self.client = connect(self._settings)
        migrate(self.client, self._settings)
        self.ledger = ClickHouseLedger(self.client)
        self.reader = ReadOnlyLedger(directory, database=DATABASE)

    async def rows(self, panel: Panel, choice: Choice, now: datetime) -> list[dict[str, Any]]:
        """The panel's answer, each row by column name."""
        answer = await ask(panel, self.reader.rows, choice, now, database=DATABASE)
        return [dict(zip(panel.names, row, strict=True)) for row in answer.rows]

    def signals(self, signals: list[Signal]) -> None:
        """Stores signals as the sink does."""
        lines = "\n".join(signal.model_dump_json() for signal in signals)
        self.ledger.write_signals(lines.encode(), str(uuid.uuid4()))

    def close(self) -> None:
        self.reader.close()
        self.client.close()


class Month(PanelLedger):
    """The fleet's month up to `end`, rolled up, with the tables of prices and models.

    calls: each distinct call by the names of the columns of `usage`; `cost` is a Decimal, or None without a price. What
    a call does not state has no key.
    """

    def __init__(
        self, directory: str, calls: list[dict[str, Any]], *, calls_scale: float = CALLS_SCALE
    ) -> None:
        super().__init__(directory)
        self.end = END
        self.story = _simulation(calls_scale).story
        self.calls = calls

    def within(self, period: Period) -> list[dict[str, Any]]:
        """The calls of a period."""
        return [call for call in self.calls if period.since <= call["time"] < period.until]


def month_in(directory: Path, shared: Path, *, calls_scale: float = CALLS_SCALE) -> Month:
    """A month of one's own in `directory`, copied from one that is made once in `shared` for all processes of a run."""
    name = f"month-{calls_scale:g}"
    made, calls = shared / name, shared / f"{name}-calls"
    with (shared / f"{name}-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not calls.exists():
            shutil.rmtree(made, ignore_errors=True)
            calls.write_bytes(pickle.dumps(_fill(str(made), calls_scale)))
    shutil.copytree(made, directory, symlinks=True)
    kept = pickle.loads(calls.read_bytes())  # noqa: S301 - written above
    return Month(str(directory), kept, calls_scale=calls_scale)


def _simulation(calls_scale: float) -> FleetSimulation:
    return FleetSimulation(seed=SEED, end=END, days=DAYS, calls_scale=calls_scale)


def _fill(directory: str, calls_scale: float) -> list[dict[str, Any]]:
    """Lets the whole month be metered into a new ledger; returns its calls."""
    month = PanelLedger(directory)
    simulation = _simulation(calls_scale)
    book = book_of(simulation.price_file)
    meter = Meter(book)
    kept: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    waiting: list[Any] = []
    offset = 0

    def hand_on() -> None:
        nonlocal offset
        output = meter.step(
            encode_batch(waiting),
            headers=HEADERS,
            topic="usage",
            partition=0,
            offset=offset,
            reported_at_ms=offset,
            now=END,
        )
        assert not output.refused_lines
        month.ledger.write_events(output.metered, f"month/{offset}")
        for line in output.metered.splitlines():
            call = json.loads(line)
            name = (call.get("tenant", "default"), call["id"])
            fullness = sum(1 for field in FULLNESS_FIELDS if call.get(field))
            if name not in kept or kept[name][0] <= fullness:
                kept[name] = (fullness, call)
        offset += 1
        waiting.clear()

    for batch in simulation.events():
        waiting += batch
        if len(waiting) >= _AT_ONCE:
            hand_on()
    hand_on()
    # Marks bear the time at which they were written, so what is due is told by the real clock.
    for turn in range(3):
        month.ledger.keep(datetime.now(UTC) + timedelta(hours=1 + turn))
    write_price_book(month.client, book)
    write_models(month.client, Catalog.default().models())
    month.close()
    calls = []
    for _, call in kept.values():
        cost = call.get("cost")
        calls.append(
            {
                **call,
                "time": datetime.fromisoformat(call["time"]),
                "cost": None if cost is None else Decimal(cost),
            }
        )
    return calls
