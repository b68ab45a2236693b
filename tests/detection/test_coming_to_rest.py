"""When a run may end: what was sent has been looked at, and nothing more will be said of it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from streams.detect_role import DetectRole
from streams.detection.keeping import TopicKeeper
from streams.detection.minutes import NEVER_MS
from streams.observe import StreamMetrics
from streams.progress import Partition
from tokenweir.settings import Settings

NOW_MS = 1_800_000_000_000
TOPIC = "tokenweir.windows"
ENDS = {(TOPIC, 0): 5, (TOPIC, 1): 5, (TOPIC, 2): 0}


@dataclass
class FakePartition:
    """As much of PartitionDetection as the wait looks at. clock_ms: up to when it has been told that nothing came."""

    clock_ms: int = NOW_MS
    next_offset: int = 5
    due_ms: int = NEVER_MS
    tenants: int = 1

    def deadline_ms(self) -> int:
        return self.due_ms

    def is_behind(self, clock_ms: int) -> bool:
        return self.due_ms <= clock_ms

    def is_watching(self) -> bool:
        return self.tenants > 0


def role_with(*partitions: FakePartition) -> DetectRole:
    settings = Settings()
    role = DetectRole(
        app=SimpleNamespace(),
        metrics=StreamMetrics("detect", CollectorRegistry()),
        clock=lambda: datetime.fromtimestamp(NOW_MS / 1000, UTC),
        make=cast("Any", None),
        settings=settings,
        meter_group="meter",
        keeper=TopicKeeper(settings.kafka),
    )
    lanes = {
        Partition(TOPIC, number): SimpleNamespace(detection=one) for number, one in enumerate(partitions)
    }
    role._lanes = cast("Any", lanes)
    return role


async def test_all_closed_is_all_said() -> None:
    role = role_with(FakePartition(), FakePartition(due_ms=NOW_MS + 60_000))
    assert await role.wait_until_through(ENDS, 30)


async def test_ticks_that_move_nothing_end_the_wait_and_partitions_without_tenants_get_none() -> None:
    held = FakePartition(due_ms=NOW_MS - 1)
    role = role_with(held, FakePartition(clock_ms=NOW_MS - 60_000, tenants=0))
    waiting = asyncio.create_task(role.wait_until_through(ENDS, 30, stall_seconds=9))
    await asyncio.sleep(0.6)
    held.clock_ms = NOW_MS + 8_999
    await asyncio.sleep(0.6)
    assert not waiting.done()
    held.clock_ms = NOW_MS + 9_000
    assert await asyncio.wait_for(waiting, 5) is False


@pytest.mark.parametrize("held", [FakePartition(due_ms=NOW_MS - 1), FakePartition(next_offset=4)])
async def test_without_ticks_or_before_all_is_read_it_goes_on_to_its_time(held: FakePartition) -> None:
    role = role_with(held, FakePartition())
    began = asyncio.get_running_loop().time()
    assert not await role.wait_until_through(ENDS, 1.2, stall_seconds=0.1)
    assert asyncio.get_running_loop().time() - began >= 1.2
