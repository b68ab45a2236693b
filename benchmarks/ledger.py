"""How many events a second one core stores in the ledger: insert, its materialized views, and settling; rollups apart.

CPU seconds are the whole process's. The lines are shaped as the meter writes them, every call a new one.
"""

import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from pydantic import SecretStr

from benchmarks.measure import PER_CORE, Measurement, clock
from sinks.clickhouse import ClickHouseLedger, LedgerClient, connect, migrate
from sinks.clickhouse.columns import EVENT_COLUMNS
from sinks.clickhouse.rollups import RollupKeeper
from tokenweir.settings import ClickHouseSettings

BLOCK_EVENTS = 100_000  # as the sink writes them
BLOCKS = 3
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG_AFTER = datetime(2040, 1, 1, tzinfo=UTC)

_encode = msgspec.json.Encoder().encode
_VENDORS = (("openai", "gpt-5-mini"), ("anthropic", "claude-sonnet-4-5"), ("google", "gemini-2.5-flash"))


def run(claims: int = 1_000_000, blocks: int = BLOCKS, block_events: int = BLOCK_EVENTS) -> list[Measurement]:
    """Measurements of the ledger on an embedded engine that already knows `claims` calls."""
    with tempfile.TemporaryDirectory(prefix="tokenweir-bench-") as directory:
        settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{Path(directory) / 'ledger'}"))
        with connect(settings) as client:
            migrate(client, settings)
            fill_claims(client, claims)
            return _measurements(client, claims, blocks, block_events)


def fill_claims(client: LedgerClient, claims: int) -> None:
    """Claims of `claims` calls that no block of the benchmark names, in parts as a running ledger has them."""
    done = 0
    while done < claims:
        share = max((claims - done) * 2 // 3, min(claims - done, 100_000))
        client.command(
            "INSERT INTO claims SELECT sipHash64('elsewhere', number), "  # noqa: S608 - numbers only
            "toDateTime('2026-10-01 00:00:00', 'UTC') + intDiv(number, 12) "
            f"FROM numbers({done}, {share}) SETTINGS max_insert_block_size = 100000000, "
            "min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0"
        )
        done += share


def block_of_lines(number: int, events: int = BLOCK_EVENTS) -> bytes:
    """One block as the meter forwards it: NDJSON, defaults left out."""
    choose = random.Random(number)
    lines = []
    for _ in range(events):
        vendor, model = choose.choice(_VENDORS)
        time_ = START + timedelta(seconds=number * 6 + choose.random() * 6)
        input_tokens, output_tokens = choose.randrange(1, 5_000), choose.randrange(1, 700)
        lines.append(
            _encode(
                {
                    "id": f"{vendor}:resp-{choose.getrandbits(96):024x}",
                    "source": "sdk",
                    "time": time_.isoformat().replace("+00:00", "Z"),
                    "tenant": "acme",
                    "team": f"team-{choose.randrange(20)}",
                    "project": f"project-{choose.randrange(50)}",
                    "service": f"service-{choose.randrange(10)}",
                    "environment": "production",
                    "user": f"user-{choose.randrange(1_000)}",
                    "tags": {"feature": "search"},
                    "vendor": vendor,
                    "model": model,
                    "region": "eu-west-1",
                    "input_tokens": input_tokens,
                    "cache_read_tokens": input_tokens // 2,
                    "output_tokens": output_tokens,
                    "duration_ms": round(choose.random() * 5_000, 2),
                    "ttft_ms": round(choose.random() * 500, 2),
                    "streaming": True,
                    "cost": f"0.{choose.randrange(10**9):012d}",
                    "list_cost": f"0.{choose.randrange(10**9):012d}",
                    "native_cost": f"0.{choose.randrange(10**9):012d}",
                    "fx_rate": "1",
                    "cost_parts": {"input": "0.00001234", "output": "0.00003456789"},
                    "price_id": f"genai:{vendor}/{model}@0",
                    "price_status": "list",
                    "metered_at": "2026-11-23T12:00:00Z",
                    "version": choose.getrandbits(60),
                },
            )
        )
    return b"\n".join(lines)


def _measurements(client: LedgerClient, claims: int, blocks: int, block_events: int) -> list[Measurement]:
    ledger = ClickHouseLedger(client)
    lines = [block_of_lines(number, block_events) for number in range(2 * blocks + 1)]
    ledger.write_events(lines.pop(), "warm-up")
    baseline = _plain_inserts(client, lines[0])

    _merges(client, "STOP")
    with clock() as quiet:
        for number in range(blocks):
            ledger.write_events(lines[number], f"block-{number}")
    _merges(client, "START")
    with clock() as merging:
        for number in range(blocks, 2 * blocks):
            ledger.write_events(lines[number], f"block-{number}")
    with clock() as keeping:
        rolled = RollupKeeper(client).keep(LONG_AFTER)
    events = blocks * block_events
    held = int(client.query("SELECT sum(calls) FROM rollup_minute WHERE is_seal = 0")[0][0])
    return [
        Measurement(
            name="ledger_write",
            value=events / quiet.cpu_seconds,
            unit=PER_CORE,
            baseline=baseline,
            baseline_is="500-event JSONEachRow inserts with the engine's own settings, not deduplicated by anyone",
            bar=80_000,
            cpu_seconds=quiet.cpu_seconds,
            wall_seconds=quiet.wall_seconds,
            note=f"insert, materialized views and settling against {claims:,} known calls; background merges apart",
        ),
        Measurement(
            name="ledger_write_with_merges",
            value=events / merging.cpu_seconds,
            unit=PER_CORE,
            cpu_seconds=merging.cpu_seconds,
            wall_seconds=merging.wall_seconds,
            note="the same while the engine merges these and the blocks before",
        ),
        Measurement(
            name="ledger_rollup",
            value=held / keeping.cpu_seconds,
            unit=PER_CORE,
            cpu_seconds=keeping.cpu_seconds,
            wall_seconds=keeping.wall_seconds,
            note=f"one turn of keep(): {rolled} periods, nearly every event a group of its own",
        ),
    ]


def _plain_inserts(client: LedgerClient, lines: bytes) -> float:
    """Events a CPU second of the obvious way: each message an insert, engine settings as they come."""
    client.command("CREATE TABLE plain AS events ENGINE = MergeTree ORDER BY (tenant, time)")
    events = lines.split(b"\n")[:10_000]
    with clock() as taken:
        for start in range(0, len(events), 500):
            client.insert_lines(
                "plain",
                EVENT_COLUMNS,
                b"\n".join(events[start : start + 500]),
                {"date_time_input_format": "best_effort", "async_insert": 0},
                doing="measuring plain inserts",
            )
    client.command("DROP TABLE plain")
    return len(events) / taken.cpu_seconds


def _merges(client: LedgerClient, word: str) -> None:
    for table in ("events", "claims", "arrivals", "minutes"):
        client.command(f"SYSTEM {word} MERGES {table}")
