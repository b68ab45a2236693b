"""A small ledger with the views the page reads, filled with made-up calls, and the page served over it."""

import json
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import chdb
from aiohttp import web

from dashboards.page import page_routes
from tokenweir.local.read_only import ReadOnlyLedger

DATABASE = "tokenweir"
_DIMENSIONS = (
    "tenant, team, project, service, environment, api_key, vendor, model, region, operation, service_tier, status, "
    "price_status"
)


class PageLedger:
    """The writer's side: one connection to an engine in `directory`."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._connection = chdb.connect(directory)
        for statement in _schema():
            self._connection.query(statement)

    def insert(self, events: Iterable[dict[str, Any]]) -> None:
        lines = "\n".join(map(json.dumps, events))
        self._connection.query(
            f"INSERT INTO {DATABASE}.usage SETTINGS date_time_input_format = 'best_effort', async_insert = 0 "
            f"FORMAT JSONEachRow\n{lines}"
        )

    def reject(self, reason: str, pieces: int, at: datetime) -> None:
        self._connection.query(
            f"INSERT INTO {DATABASE}.rejected SELECT concat('{reason}', toString(number)), "
            f"toDateTime64('{at:%Y-%m-%d %H:%M:%S}', 3, 'UTC'), '{reason}' FROM numbers({pieces})"
        )

    def clear(self) -> None:
        for table in ("usage", "rejected"):
            self._connection.query(f"TRUNCATE TABLE {DATABASE}.{table}")

    def close(self) -> None:
        self._connection.close()


def _schema() -> list[str]:
    names = [name.strip() for name in _DIMENSIONS.split(",")]
    tokens = "input_tokens, output_tokens, cache_read_tokens, reasoning_tokens".split(", ")
    columns = [f"{name} String" for name in names] + [f"{name} UInt64" for name in tokens]
    sums = ", ".join(f"sum(u.{name}) AS {name}" for name in tokens)
    views = [
        f"CREATE VIEW {DATABASE}.usage_by_{step} AS SELECT toStartOf{step.title()}(time) AS {step}, "
        f"{_DIMENSIONS}, count() AS calls, countIf(u.cost IS NULL) AS unpriced_calls, sum(u.cost) AS cost, "
        f"sum(u.list_cost) AS list_cost, {sums} FROM {DATABASE}.usage AS u GROUP BY {step}, {_DIMENSIONS} "
        for step in ("minute", "hour", "day")
    ]
    return [
        f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
        f"CREATE TABLE {DATABASE}.usage (id String, time DateTime64(6, 'UTC'), {', '.join(columns)}, "
        "cost Nullable(Decimal(38, 12)), list_cost Nullable(Decimal(38, 12))) ENGINE = MergeTree ORDER BY (time, id)",
        f"CREATE TABLE {DATABASE}.rejected (id String, rejected_at DateTime64(3, 'UTC'), reason String) "
        "ENGINE = MergeTree ORDER BY rejected_at",
        *views,
    ]


def event(at: datetime, number: int = 0, **fields: Any) -> dict[str, Any]:
    """One call; every field can be given."""
    return {
        "id": f"test:{at.isoformat()}:{number}",
        "time": at.isoformat(),
        "tenant": "default",
        "team": "search",
        "service": "answers",
        "vendor": "openai",
        "model": "gpt-4.1",
        "operation": "chat",
        "service_tier": "standard",
        "status": "ok",
        "price_status": "list",
        "input_tokens": 1000,
        "output_tokens": 100,
        "cost": "0.01",
        "list_cost": "0.01",
        **fields,
    }


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
                    price_status="list" if cost else "unpriced",
                    input_tokens=input_tokens,
                    output_tokens=int(260 * size),
                    cache_read_tokens=int(input_tokens * random.uniform(0.1, 0.6)),
                    cost=f"{float(cost) * size:.12f}" if cost else None,
                    list_cost=f"{float(cost) * size:.12f}" if cost else None,
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
