"""How long each panel takes over a hundred million calls: thirty days of rollups, the last two minutes open.

The rollups are written as the keeper would leave them: 2,000 groups in every hour, the same by day, the last day also
by minute, with sketches of the latencies. Single calls are there only where panels may read them, in the last minutes:
a panel that read all calls would be found out by its answer, not by its time.

The time of a panel is the median of three, as the page asks: one question at a time, with parameters, as JSON.
"""

# ruff: noqa: S608 - the names in the SQL are this module's, the values numbers

import asyncio
import statistics
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import SecretStr

from benchmarks.measure import Measurement, clock
from dashboards.panels.panel import Panel
from dashboards.panels.question import Choice, ask
from dashboards.panels.registry import boards
from dashboards.period import rolling_period
from sinks.clickhouse import LedgerClient, connect, migrate
from sinks.clickhouse.columns import MEASURE_COLUMNS, ROLLUP_DIMENSIONS
from sinks.clickhouse.price_book import write_models, write_price_book
from tokenweir.catalog import Catalog
from tokenweir.local.budget_tables import fill_budgets
from tokenweir.local.read_only import ReadOnlyLedger
from tokenweir.pricing import PriceBook
from tokenweir.settings import BudgetSettings, ClickHouseSettings

END: Final = datetime.now(UTC).replace(hour=12, minute=30, second=0, microsecond=0) - timedelta(days=1)
"""Yesterday: the view of budgets goes by the clock of the engine."""
CALLS: Final = 100_000_000
DAYS: Final = 30
GROUPS: Final = 2_000
RANGES: Final = ("30d", "24h")
BAR_MS: Final = 1_000.0
_DATABASE: Final = "tokenweir"
_SKETCHED: Final = 4
_TIMES: Final = 3
_OPEN: Final = timedelta(minutes=2)
_INCIDENTS: Final = 2_000
_PLAIN_SHARE: Final = 20

_MODELS: Final = (
    ("openai", "gpt-4.1"),
    ("openai", "gpt-4.1-mini"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-2.5-flash"),
    ("google", "gemini-2.5-pro"),
    ("mistral", "mistral-large-latest"),
    ("deepseek", "deepseek-chat"),
    ("alibaba", "qwen3-max"),
)
_NAMES: Final = {
    "team": "concat('team-', toString(g % 20))",
    "project": "concat('project-', toString(g % 50))",
    "service": "concat('service-', toString(g % 200))",
    "environment": "if(g % 10 = 0, 'staging', 'production')",
    "api_key": "concat('key-', toString(g % 100))",
    "vendor": f"{[vendor for vendor, _ in _MODELS]}[1 + intDiv(g, 200) % 10]",
    "model": f"{[model for _, model in _MODELS]}[1 + intDiv(g, 200) % 10]",
    "region": "['eu-west-1', 'us-east-1', ''][1 + g % 3]",
    "operation": "if(g % 25 = 0, 'embedding', 'chat')",
    "service_tier": "if(g % 15 = 0, 'batch', 'standard')",
    "status": "if(g % 40 = 7, 'error', if(g % 40 = 8, 'rate_limited', 'ok'))",
    "price_status": "if(g % 50 = 3, 'unpriced', 'list')",
}


class Asked(NamedTuple):
    """A panel over one range, and how long its answer took."""

    name: str
    range: str
    milliseconds: float


def run(calls: int = CALLS, groups: int = GROUPS) -> list[Measurement]:
    """The slowest panel, and the slowest of each board, over `calls` calls in `groups` groups an hour."""
    with tempfile.TemporaryDirectory(prefix="tokenweir-bench-") as directory:
        place = str(Path(directory) / "ledger")
        settings = ClickHouseSettings(dsn=SecretStr(f"chdb://{place}"), database=_DATABASE)
        with connect(settings) as client:
            migrate(client, settings)
            fill(client, calls, groups)
            baseline = _plain_ms(client, calls)
            with clock() as taken:
                asked = asyncio.run(_ask_all(place))
    return _measurements(asked, baseline, calls, groups, taken.cpu_seconds)


def fill(client: LedgerClient, calls: int, groups: int) -> None:
    """A month of rollups, two open minutes, prices, models and incidents."""
    hours = DAYS * 24
    first = END.replace(minute=0) - timedelta(hours=hours - 1)
    each = max(calls // (hours * groups), 1)
    # The hour that is going on is dirty: its minutes are rolled up, the last two are not.
    _rollup(client, "hour", first, hours, timedelta(hours=1), groups, each)
    midnight = first.replace(hour=0)
    _rollup(client, "day", midnight, DAYS + 1, timedelta(days=1), groups, each * 24)
    minutes = 24 * 60
    _rollup(
        client, "minute", END - _OPEN - timedelta(minutes=minutes), minutes, timedelta(minutes=1), groups, 2
    )
    _open_minutes(client, calls // (DAYS * 1440) * 2, groups)
    write_price_book(client, PriceBook.default())
    write_models(client, Catalog.default().models())
    teams = {f"team-{number}": {"team": f"team-{number}"} for number in range(20)}
    budgets = {
        name: BudgetSettings(amount_usd=Decimal(10_000), scope=scope, time_zone="Asia/Kolkata")
        for name, scope in {"all": {}, **teams}.items()
    }
    fill_budgets(client, budgets, END)
    _incidents(client)


def _rollup(
    client: LedgerClient,
    level: str,
    first: datetime,
    periods: int,
    length: timedelta,
    groups: int,
    calls: int,
) -> None:
    start = f"toDateTime({int(first.timestamp())} + p * {int(length.total_seconds())}, 'UTC')"
    measures = {name: "0" for name in MEASURE_COLUMNS if name.endswith("_tokens")}
    money = "toDecimal128(any(1 + g % 97), 12) / 10000"
    measures |= {
        "calls": str(calls),
        "unpriced_calls": f"if(any(g % 50 = 3), {calls}, 0)",
        "billed_unpriced_calls": f"if(any(g % 50 = 3), {calls}, 0)",
        "input_tokens": f"{calls} * any(1000 + g % 800)",
        # Two workloads in five have a cache.
        "cache_read_tokens": f"if(any(g % 5 < 2), {calls} * 600, 0)",
        "cache_write_tokens": f"if(any(g % 5 < 2), {calls} * 40, 0)",
        "output_tokens": f"{calls} * any(200 + g % 100)",
        **dict.fromkeys(("cost", "billed_cost"), f"if(any(g % 50 = 3), NULL, {calls} * {money})"),
        **dict.fromkeys(("list_cost", "billed_list_cost"), f"if(any(g % 50 = 3), NULL, {calls} * {money})"),
    }
    for name, mean in (("duration", 3_000), ("ttft", 400)):
        measures[f"{name}_calls"] = str(calls)
        measures[f"{name}_sum_ms"] = f"{calls} * {mean}."
        measures[f"{name}_quantiles_ms"] = (
            f"quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(toNullable({mean} * (0.5 + (s * 7 + g) % 10 / 8)))"
        )
    grouped = [f"{expression} AS {name}" for name, expression in _NAMES.items()]
    client.command(
        f"INSERT INTO rollup_{level} (tenant, {level}, roll, is_seal, marks, {', '.join(ROLLUP_DIMENSIONS)}, "
        f"{', '.join(MEASURE_COLUMNS)}) "
        f"SELECT 'acme', {start}, 1, 0, 0, {', '.join(ROLLUP_DIMENSIONS)}, "
        f"{', '.join(measures[name] for name in MEASURE_COLUMNS)} "
        f"FROM (SELECT number % {_SKETCHED} AS s, intDiv(number, {_SKETCHED}) % {groups} AS g, "
        f"intDiv(number, {_SKETCHED * groups}) AS p, {', '.join(grouped)} "
        f"FROM numbers({periods * groups * _SKETCHED})) "
        f"GROUP BY p, g, {', '.join(ROLLUP_DIMENSIONS)} "
        "SETTINGS async_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0"
    )
    client.command(
        f"INSERT INTO rollup_{level} (tenant, {level}, roll, is_seal, marks) "
        "SETTINGS async_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0 "
        f"SELECT 'acme', {start}, 1, 1, 1 FROM (SELECT number AS p FROM numbers({periods}))"
    )
    client.command(
        f"INSERT INTO {level}s (tenant, {level}, marks, written_events, marked_at) "
        "SETTINGS async_insert = 0, insert_deduplicate = 0, max_partitions_per_insert_block = 0 "
        f"SELECT 'acme', {start}, 1, {groups * calls}, {start} FROM (SELECT number AS p FROM numbers({periods}))"
    )


def _open_minutes(client: LedgerClient, calls: int, groups: int) -> None:
    began = (END - _OPEN).timestamp()
    columns = [name for name in ROLLUP_DIMENSIONS if name != "price_status"]
    client.command(
        f"INSERT INTO events (id, source, time, metered_at, tenant, {', '.join(columns)}, price_status, input_tokens, "
        "output_tokens, duration_ms, ttft_ms, cost, list_cost, version, block) SETTINGS async_insert = 0 "
        "SELECT concat('bench:', toString(number)), 'bench', "
        f"toDateTime64({began} + number * {_OPEN.total_seconds() / max(calls, 1)}, 6, 'UTC') AS at, at, 'acme', "
        f"{', '.join(_NAMES[name] for name in columns)}, {_NAMES['price_status']}, 1000, 200, 3000., 400., "
        "if(g % 50 = 3, NULL, toDecimal128(1, 12) / 1000) AS usd, usd, 1, 'bench' "
        f"FROM (SELECT number, number % {groups} AS g FROM numbers({calls}))"
    )


def _incidents(client: LedgerClient) -> None:
    client.command(
        "INSERT INTO signals (id, incident, fingerprint, kind, state, severity, scope, started_at, observed_at, value, "
        "baseline, impact_usd_per_day, title, explanation, contributors, evidence) SETTINGS async_insert = 0 "
        "SELECT concat('i', toString(n), '/', toString(s)), concat('i', toString(n)), concat('f', toString(n)), "
        "['cost_spike', 'errors', 'migration', 'budget'][1 + n % 4], if(s = 2 AND n % 20 > 0, 'resolved', "
        "if(s = 0, 'open', 'update')), ['info', 'warning', 'critical'][1 + n % 3], "
        "map('tenant', 'acme', 'team', concat('team-', toString(n % 20))), at, at + s * 600, 2., 1., "
        "toDecimal128(n % 100, 12), 'Spend of a team doubled', 'Its calls went up.', '[]', '{}' "
        f"FROM (SELECT intDiv(number, 3) AS n, number % 3 AS s, toDateTime64({END.timestamp()}, 6, 'UTC') "
        f"- toIntervalSecond(3600 + n * 1200) AS at FROM numbers({3 * _INCIDENTS}))"
    )


async def _ask_all(place: str) -> list[Asked]:
    reader = ReadOnlyLedger(place, database=_DATABASE)
    try:
        return [
            Asked(f"{board}/{panel.name}", name, await _median_ms(reader, panel, name))
            for board, panel in _panels()
            for name in RANGES
        ]
    finally:
        reader.close()


def _panels() -> Iterator[tuple[str, Panel]]:
    for each in boards():
        for panel in each.panels:
            yield each.board.name, panel


async def _median_ms(reader: ReadOnlyLedger, panel: Panel, name: str) -> float:
    taken = []
    for _ in range(_TIMES):
        with clock() as once:
            await ask(panel, reader.rows, Choice(rolling_period(name, END)), END, database=_DATABASE)
        taken.append(once.wall_seconds * 1_000)
    return statistics.median(taken)


def _plain_ms(client: LedgerClient, calls: int) -> float:
    """What the obvious way takes: spend by team and day from a table of the single calls."""
    client.command(
        "CREATE TABLE plain (time DateTime64(6, 'UTC'), team LowCardinality(String), model LowCardinality(String), "
        "cost Nullable(Decimal(38, 12))) ENGINE = MergeTree ORDER BY time"
    )
    share = calls // _PLAIN_SHARE
    client.command(
        f"INSERT INTO plain SELECT toDateTime64({(END - timedelta(days=DAYS)).timestamp()} + number * "
        f"{DAYS * 86_400 / share}, 6, 'UTC'), concat('team-', toString(number % 20)), 'm', toDecimal128(1, 12) / 1000 "
        f"FROM numbers({share}) SETTINGS async_insert = 0"
    )
    taken = []
    for _ in range(_TIMES):
        with clock() as once:
            client.query(
                "SELECT team, toDate(time) AS day, sum(cost) FROM plain GROUP BY team, day ORDER BY team, day"
            )
        taken.append(once.wall_seconds * 1_000)
    client.command("DROP TABLE plain")
    return statistics.median(taken) * _PLAIN_SHARE


def _measurements(
    asked: list[Asked], baseline: float, calls: int, groups: int, cpu_seconds: float
) -> list[Measurement]:
    slowest = max(asked, key=lambda each: each.milliseconds)
    over = sorted((each for each in asked if each.milliseconds > BAR_MS), key=lambda each: -each.milliseconds)
    listed = ", ".join(f"{each.name} {each.range} {each.milliseconds:,.0f}" for each in over)
    found = [
        Measurement(
            "panel_slowest",
            slowest.milliseconds,
            "ms",
            mean=statistics.mean(each.milliseconds for each in asked),
            baseline=baseline,
            baseline_is=f"spend by team and day from a table of single calls, {calls // _PLAIN_SHARE:,} of them, "
            f"times {_PLAIN_SHARE}",
            bar=BAR_MS,
            higher_is_better=False,
            cpu_seconds=cpu_seconds,
            note=f"{slowest.name} over {slowest.range}; {calls:,} calls in {groups:,} groups an hour, {DAYS} days; "
            f"{len(asked)} questions; over the bar: {listed or 'none'}",
        )
    ]
    for each in boards():
        own = [one for one in asked if one.name.startswith(f"{each.board.name}/")]
        if own:
            worst = max(own, key=lambda one: one.milliseconds)
            found.append(
                Measurement(
                    f"panel_{each.board.name}",
                    worst.milliseconds,
                    "ms",
                    mean=statistics.mean(one.milliseconds for one in own),
                    bar=BAR_MS,
                    higher_is_better=False,
                    note=f"the slowest of {len(own) // len(RANGES)} panels: {worst.name} over {worst.range}",
                )
            )
    return found
