"""Bills on their way from Kafka through the sink role."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from producers.bills.poll import ReportReading
from producers.bills.request import Account
from producers.delivery import Delivery
from streams.app import build_app
from streams.topic_admin import ensure_topics
from tests.kafka.fixtures import Broker
from tests.streams.stores import MemoryStore
from tests.streams.test_apps import lag, running, until, values_of
from tokenweir.bills import Scope, VendorBill, snapshot_of
from tokenweir.bills.line import bill_line
from tokenweir.local.bills import BillSender
from tokenweir.settings import Settings, WorkerSettings, topic_name
from tokenweir.topics import BILLS, REJECTED
from tokenweir.usage import Rejection

_NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def settings(embedded_broker: Broker, unique_prefix: str, tmp_path: Path) -> Settings:
    kafka = embedded_broker.settings(unique_prefix).model_copy(update={"partitions": 2})
    ensure_topics(kafka)
    return Settings(kafka=kafka, worker=WorkerSettings(state_dir=tmp_path))


def reading(model: str) -> ReportReading:
    scope = Scope("default", "openai", "main", "costs", date(2026, 11, 1))
    lines = [
        bill_line(period_start=scope.start, period_end=scope.end, model=name, amount=Decimal("0.1"))
        for name in ("gpt-4o", model, "o3")
    ]
    rejection = Rejection(
        id=f"bills/{model}", rejected_at=_NOW, stage="collector", reason="missing_field", detail="made up"
    )
    return ReportReading("costs", 1, snapshot_of(scope, lines, recorded_at=_NOW), [rejection])


def send(settings: Settings, *readings: ReportReading) -> None:
    delivery = Delivery(settings.kafka)
    sender = BillSender(delivery)
    for one in readings:
        sender.send(Account(vendor="openai", name="main"), one)
    sender.flush()
    assert delivery.close(10.0)


async def test_bills_reach_the_store_and_a_line_that_it_refuses_costs_that_line(settings: Settings) -> None:
    store = MemoryStore()
    store.refuses = b'"peculiar"'
    sink = build_app(settings, "sink", sink=store)
    await asyncio.to_thread(send, settings, reading("gpt-4o-mini"), reading("peculiar"))
    async with running(sink):
        await until(lambda: len(store.bill_lines) == 5 and len(store.rejections) == 3, sink)
        await until(lambda: lag(settings, "sink") == 0, sink)
        values = await asyncio.to_thread(values_of, settings.kafka, REJECTED.name)
    models = sorted(VendorBill.model_validate_json(line).model for line in store.bill_lines)
    assert models == ["gpt-4o", "gpt-4o", "gpt-4o-mini", "o3", "o3"]
    assert store.events == {}
    refused = [one for one in map(Rejection.model_validate_json, values) if one.stage == "sink"]
    assert [(one.reason, one.topic) for one in refused] == [
        ("store_refused", topic_name(settings.kafka, BILLS.name))
    ]


async def test_bills_wait_while_the_store_is_away(settings: Settings) -> None:
    store = MemoryStore()
    store.away = True
    sink = build_app(settings, "sink", sink=store)
    await asyncio.to_thread(send, settings, reading("gpt-4o-mini"))
    async with running(sink):
        await until(lambda: store.offered >= 2, sink)
        assert store.bill_lines == []
        store.away = False
        await until(lambda: len(store.bill_lines) == 3, sink)
