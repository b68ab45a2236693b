"""A real ledger filled with made-up calls, and the page served over it."""

import json
import random
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from dashboards.page import page_routes
from sinks.clickhouse import ClickHouseLedger, connect, migrate
from tokenweir.local.read_only import ReadOnlyLedger
from tokenweir.settings import ClickHouseSettings
from tokenweir.signals import Signal
from tokenweir.usage.metered import MeteredEvent
from tokenweir.usage.rejection import Rejection

DATABASE = "tokenweir"


class PageLedger:
    """The writer's side: the sink's own ledger in `directory`."""

    def __init__(self, directory: str) -> None:
        settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{directory}"), database=DATABASE)
        self.directory = directory
        self._client = connect(settings)
        migrate(self._client, settings)
        self._ledger = ClickHouseLedger(self._client)

    def insert(self, events: Iterable[dict[str, Any]]) -> None:
        lines = "\n".join(map(json.dumps, events)).encode()
        self._ledger.write_events(lines, str(uuid.uuid4()))

    def roll_up(self, now: datetime) -> None:
        self._ledger.keep(now)

    def reject(self, reason: Any, pieces: int, at: datetime) -> None:
        lines = [
            Rejection(id=f"{uuid.uuid4()}", rejected_at=at, stage="meter", reason=reason, detail="made up")
            for _ in range(pieces)
        ]
        self._ledger.write_rejections(
            "\n".join(line.model_dump_json() for line in lines).encode(), str(uuid.uuid4())
        )

    def signals(self, signals: Iterable[Signal]) -> None:
        """Stores signals as the sink does."""
        lines = "\n".join(signal.model_dump_json() for signal in signals)
        self._ledger.write_signals(lines.encode(), str(uuid.uuid4()))

    def clear(self) -> None:
        """Empty every table but the record of the migrations."""
        tables = self._client.query(
            "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree' "
            "AND name != 'schema_versions'",
            {"database": DATABASE},
        )
        for (name,) in tables:
            self._client.command(f"TRUNCATE TABLE {name}")

    def close(self) -> None:
        self._client.close()


def event(at: datetime, number: int = 0, *, cost: str | None = "0.01", **fields: Any) -> dict[str, Any]:
    """One metered event as the meter forwards it; every field can be given, and is checked."""
    whole = {
        "id": f"test:{at.isoformat()}:{number}",
        "source": "test",
        "time": at,
        "team": "search",
        "service": "answers",
        "vendor": "openai",
        "model": "gpt-4.1",
        "input_tokens": 1000,
        "output_tokens": 100,
        "cost": cost,
        "list_cost": cost,
        "price_status": "list" if cost else "unpriced",
        "metered_at": at,
        "version": 1,
        **fields,
    }
    MeteredEvent.model_validate(whole, strict=False)
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in whole.items()}


_FLEET = (
    ("search", "answers", "openai", "gpt-4.1", "0.0042", 9),
    ("search", "ranking", "google", "gemini-2.5-flash", "0.0007", 14),
    ("support", "assistant", "anthropic", "claude-sonnet-4-5", "0.0117", 7),
    ("support", "triage", "deepseek", "deepseek-chat", "0.0003", 10),
    ("growth", "copywriter", "aws", "anthropic.claude-haiku-4-5", "0.0031", 5),
    ("platform", "code review", "anthropic", "claude-opus-4-5", "0.0480", 2),
    ("risk", "screening", "alibaba", "qwen3-max", "0.0024", 4),
    ("china", "客服", "volcengine", "doubao-1-5-pro", "0.0005", 8),
    ("china", "写作", "baidu", "ernie-4.5-turbo", "0.0009", 4),
    ("research", "eval", "mistral", "mistral-large-latest", "0.0062", 2),
    ("research", "batch", "azure", "gpt-4.1-mini", "0.0011", 5),
    ("mobile", "voice", "tencent", "hunyuan-turbos", "0.0006", 3),
    ("", "", "ollama", "llama-3.3-70b", None, 2),
)


def fleet(until: datetime, days: float, *, seed: int = 7, per_hour: float = 1.0) -> Iterable[dict[str, Any]]:
    """A made-up fleet's calls over so many days up to `until`, with the rhythm of day and week."""
    random.seed(seed)
    number = 0
    start = until - timedelta(days=days)
    for hour in range(int(days * 24)):
        at = start + timedelta(hours=hour)
        rhythm = (1.0 if 7 <= at.hour <= 19 else 0.35) * (0.4 if at.weekday() >= 5 else 1.0)
        for team, service, vendor, model, cost, weight in _FLEET:
            for _ in range(max(1, round(weight * rhythm * per_hour * random.uniform(0.6, 1.4)))):
                number += 1
                size = random.lognormvariate(0, 0.8)
                input_tokens = int(1800 * size)
                yield event(
                    at + timedelta(seconds=random.uniform(0, 3599)),
                    number,
                    team=team,
                    service=service,
                    vendor=vendor,
                    model=model,
                    status="ok" if random.random() > 0.013 else "rate_limited",
                    input_tokens=input_tokens,
                    output_tokens=int(260 * size),
                    cache_read_tokens=int(input_tokens * random.uniform(0.1, 0.6)),
                    cost=f"{float(cost) * size:.12f}" if cost else None,
                )


@asynccontextmanager
async def served_page(directory: str, clock: Any = lambda: datetime.now(UTC)) -> AsyncIterator[str]:
    """The page over the engine in `directory`, on a free loopback port; its address."""
    ledger = ReadOnlyLedger(directory, database=DATABASE)
    app = web.Application()
    app.add_routes(page_routes(ledger.rows, clock=clock, database=DATABASE))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()
        ledger.close()
