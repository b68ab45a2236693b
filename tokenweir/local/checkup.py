"""What `weir doctor` looks at. Every finding says what was looked at, how it is, and what to do where it is wrong."""

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from pydantic import SecretStr

from sinks.clickhouse import queries
from sinks.clickhouse.client import LedgerClient, connect
from sinks.clickhouse.incidents import incidents
from streams.app import SOURCES, consumer_group
from streams.topic_admin import describe_topics, group_members, topic_lag
from tokenweir.errors import BrokerUnavailable, StoreUnavailable, TokenweirError
from tokenweir.local.broker import EmbeddedBroker
from tokenweir.local.data_dir import DataDir, RunningPipeline
from tokenweir.settings import KafkaSettings, Settings, topic_name

_LOW_DISK_BYTES: Final = 1024**3
_STALE_AFTER: Final = timedelta(minutes=15)

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    subject: str
    state: State
    text: str

    def as_row(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def check_up(settings: Settings, data_dir: DataDir | None) -> list[Finding]:
    """Everything that can be looked at from here. Never raises for what it finds wrong."""
    return list(_embedded(settings, data_dir) if data_dir is not None else _distributed(settings))


def _embedded(settings: Settings, data_dir: DataDir) -> Iterator[Finding]:
    yield _disk(data_dir)
    yield _broker_binary()
    try:
        running = data_dir.running(wait_seconds=2)
    except StoreUnavailable as error:
        yield Finding("pipeline", "note", str(error))
        return
    if running is None:
        state: State = "ok" if data_dir.ledger.exists() else "note"
        text = f"none runs on {data_dir.path}; start one with `weir up`"
        yield Finding("pipeline", state, text)
        return
    yield Finding(
        "pipeline", "ok", f"process {running.pid} runs on {data_dir.path}; page at {running.page_url}"
    )
    kafka = settings.kafka.model_copy(update={"bootstrap_servers": running.kafka_bootstrap_servers})
    yield from _kafka(kafka, notifies=bool(settings.notifications.channels), is_apart=False)
    yield from _ledger(_visiting(settings, running))


def _distributed(settings: Settings) -> Iterator[Finding]:
    yield from _kafka(settings.kafka, notifies=bool(settings.notifications.channels), is_apart=True)
    yield from _ledger(settings)


def _visiting(settings: Settings, running: RunningPipeline) -> Settings:
    dsn = SecretStr(f"clickhouse://{running.host}:{running.clickhouse_port}")
    return settings.model_copy(update={"clickhouse": settings.clickhouse.model_copy(update={"dsn": dsn})})


def _disk(data_dir: DataDir) -> Finding:
    place = next(folder for folder in (data_dir.path, *data_dir.path.parents) if folder.exists())
    free_bytes = shutil.disk_usage(place).free
    text = f"{free_bytes / 1024**3:.1f} GiB free at {place}"
    if free_bytes < _LOW_DISK_BYTES:
        return Finding("disk", "wrong", f"{text}; the ledger stops taking events when it is full. Make room")
    return Finding("disk", "ok", text)


def _broker_binary() -> Finding:
    try:
        with EmbeddedBroker() as broker:
            return Finding(
                "embedded broker", "ok", f"starts and answers (tried on {broker.bootstrap_servers})"
            )
    except BrokerUnavailable as error:
        return Finding("embedded broker", "wrong", str(error))


def _kafka(settings: KafkaSettings, *, notifies: bool, is_apart: bool) -> Iterator[Finding]:
    try:
        reports = describe_topics(settings)
    except TokenweirError as error:
        yield Finding("kafka", "wrong", str(error))
        return
    yield Finding("kafka", "ok", f"answers at {settings.bootstrap_servers}")
    for report in reports:
        if not report.exists:
            yield Finding(
                f"topic {report.name}", "wrong", "does not exist; create it with `weir topics create`"
            )
        elif report.differences:
            yield Finding(f"topic {report.name}", "note", "; ".join(report.differences))
        else:
            yield Finding(f"topic {report.name}", "ok", f"{report.partitions} partitions")
    for role, topics in SOURCES.items():
        if role == "notify" and not notifies:
            continue
        yield _role(settings, role, [topic_name(settings, topic.name) for topic in topics], is_apart=is_apart)


def _role(settings: KafkaSettings, role: str, topics: list[str], *, is_apart: bool) -> Finding:
    """How far a role's workers are; is_apart: they are processes of their own, of which there may be none."""
    group = consumer_group(settings, role)
    try:
        waiting = sum(topic_lag(settings, group, topics).values())
        members = group_members(settings, group) if is_apart else None
    except TokenweirError as error:
        return Finding(f"{role} lag", "wrong", str(error))
    if members == 0:
        state: State = "wrong" if waiting else "note"
        text = f"{waiting} messages wait and nobody takes them; start `weir worker --role {role}`"
        return Finding(f"{role} lag", state, text)
    more = "see to the one" if role == "notify" else "start another"
    advice = f"; if that does not fall, {more} `weir worker --role {role}`" if waiting else ""
    return Finding(f"{role} lag", "note" if waiting else "ok", f"{waiting} messages wait{advice}")


def _ledger(settings: Settings) -> Iterator[Finding]:
    try:
        with connect(settings.clickhouse) as client:
            yield Finding("ledger", "ok", "answers")
            yield from _content(client)
    except TokenweirError as error:
        yield Finding("ledger", "wrong", str(error))


def _content(client: LedgerClient) -> Iterator[Finding]:
    now = datetime.now(UTC)
    unpriced = queries.unpriced(client)
    if unpriced:
        held_back = sum(int(row["calls"]) for row in unpriced)
        text = f"{held_back} calls of {len(unpriced)} models have no price; see `weir unpriced`"
        yield Finding("prices", "note", text)
    else:
        yield Finding("prices", "ok", "every call in the ledger has one")
    refused = queries.rejected(client, limit=1)
    if refused:
        last = refused[0]
        text = f"the last at {last['rejected_at']:%Y-%m-%d %H:%M:%S} ({last['reason']}); see `weir rejected`"
        yield Finding("rejected input", "note", text)
    else:
        yield Finding("rejected input", "ok", "none")
    yield _open_incidents(client)
    latest = queries.totals(client)["last_minute"]
    if latest is None:
        yield Finding("freshness", "note", "the ledger is empty; fill it with `weir ingest` or `weir demo`")
    elif now - latest > _STALE_AFTER:
        yield Finding("freshness", "note", f"the last call was at {latest:%Y-%m-%d %H:%M:%S} UTC")
    else:
        yield Finding("freshness", "ok", f"the last call was {(now - latest).total_seconds():.0f} s ago")


def _open_incidents(client: LedgerClient) -> Finding:
    found = incidents(client, is_open=True)
    if not found:
        return Finding("signals", "ok", "no incident is open")
    critical = sum(row["severity"] == "critical" for row in found)
    text = f"{len(found)} incidents are open, {critical} of them critical; see `weir signals --open`"
    return Finding("signals", "note", text)
