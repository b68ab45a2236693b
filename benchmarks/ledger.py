"""How many events a second one core stores in the ledger: insert, its materialized views, and settling; rollups apart.

CPU seconds are the whole process's, merges in the background among them, so that what the engine does later is
counted too. The lines are shaped as the meter writes them.
"""

import json
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from sinks.clickhouse import ClickHouseLedger, connect, migrate
from sinks.clickhouse.client import LedgerClient
from tokenweir.settings import ClickHouseSettings

BLOCK_EVENTS = 50_000
BLOCKS = 10
START = datetime(2026, 11, 23, 12, tzinfo=UTC)

_VENDORS = (("openai", "gpt-5-mini"), ("anthropic", "claude-sonnet-4-5"), ("google", "gemini-2.5-flash"))


def run(claims: int = 1_000_000, blocks: int = BLOCKS) -> list[dict[str, Any]]:
    """Measures of the ledger on an embedded engine that already knows `claims` calls."""
    with tempfile.TemporaryDirectory(prefix="tokenweir-bench-") as directory:
        settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{Path(directory) / 'ledger'}"))
        with connect(settings) as client:
            migrate(client, settings)
            fill_claims(client, claims)
            return list(_measures(client, claims, blocks))


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
            json.dumps(
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
                separators=(",", ":"),
            )
        )
    return "\n".join(lines).encode()


def _measures(client: LedgerClient, claims: int, blocks: int) -> list[dict[str, Any]]:
    ledger = ClickHouseLedger(client)
    lines = [block_of_lines(number) for number in range(blocks + 1)]
    ledger.write_events(lines[blocks], "warm-up")

    def write() -> None:
        for number in range(blocks):
            ledger.write_events(lines[number], f"block-{number}")

    def keep() -> None:
        ledger.keep(datetime(2026, 11, 24, 12, tzinfo=UTC) + timedelta(days=3650))

    return [
        _measure(f"ledger_write_events_{claims}_claims", write, blocks * BLOCK_EVENTS),
        _measure("ledger_rollup_events", keep, (blocks + 1) * BLOCK_EVENTS),
    ]


def _measure(name: str, work: Callable[[], None], events: int) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    cpu_seconds, wall_seconds = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "name": name,
        "value": round(events / cpu_seconds),
        "unit": "events/s/core",
        "cpu_seconds": round(cpu_seconds, 3),
        "wall_seconds": round(wall_seconds, 3),
    }
