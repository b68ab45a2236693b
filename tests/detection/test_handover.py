"""Partitions that go from one live worker to another, and a broker that goes away: nothing is told twice, or not."""

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from streams.topic_admin import ensure_topics
from tests.detection.workers import (
    CHEAP_CENTS,
    DEAR_CENTS,
    TENANTS,
    Sender,
    a_worker,
    in_state,
    settings_of,
    signals_of,
    wait_for,
    wait_until_read,
)
from tests.end_to_end.commands import wait_for as wait_until
from tests.kafka.fixtures import Broker
from tokenweir.settings import Settings
from tokenweir.signals import Signal

pytestmark = pytest.mark.timeout(600)


def dear(sender: Sender, minutes: int) -> None:
    """So many dear minutes, and a moment for all but the last to be closed."""
    sender.minutes(minutes, DEAR_CENTS)
    time.sleep(0.5)


def cheap(sender: Sender) -> None:
    """As many as end an incident."""
    sender.minutes(8, CHEAP_CENTS)
    time.sleep(0.5)
    sender.minutes(1, CHEAP_CENTS)


def told_by_tenant(settings: Settings) -> dict[str, list[str]]:
    """The states in the order in which they were told; fails where an id was told twice."""
    found = signals_of(settings)
    assert len({one.id for one in found}) == len(found)
    return {tenant: [one.state for one in found if one.scope["tenant"] == tenant] for tenant in TENANTS}


def times(count: int, state: str) -> Callable[[list[Signal]], bool]:
    """Whether each tenant has so many signals of this state."""
    return lambda found: all(
        sum(one.state == state and one.scope["tenant"] == tenant for one in found) >= count
        for tenant in TENANTS
    )


def assigned(log: Path, partitions: int, before: int = 0) -> int:
    """Waits until a worker says once more that it has so many partitions. Returns how often it has said that."""
    said = f"detect has {partitions} partitions"

    def count() -> int:
        found = log.read_text(errors="replace").count(said)
        return found if found > before else 0

    return int(wait_until(f"{log.stem} has {partitions} partitions", count, log=log))


@pytest.mark.parametrize("broker", ["apache"], indirect=True)
def test_partitions_go_from_worker_to_worker(settings: Settings, sender: Sender, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.log" for name in ("first", "second", "third"))
    with ExitStack() as stack:
        one = stack.enter_context(a_worker(settings, first))
        sender.minutes(5, CHEAP_CENTS)
        dear(sender, 3)
        dear(sender, 3)
        wait_for(settings, in_state("open"))
        sender.garbage()

        two = stack.enter_context(a_worker(settings, second))
        assigned(second, 1)
        assigned(first, 1)
        dear(sender, 2)
        one.kill()
        dear(sender, 2)
        assigned(second, 2)
        wait_until_read(settings)

        three = stack.enter_context(a_worker(settings, third))
        of_second = assigned(second, 1, 1)
        assigned(third, 1)
        # Held up for longer than its session, with messages that it has asked for on their way to it.
        two.send_signal(signal.SIGSTOP)
        cheap(sender)
        assigned(third, 2)
        wait_for(settings, in_state("resolved"))
        two.send_signal(signal.SIGCONT)
        assigned(second, 1, of_second)
        assigned(third, 1, 1)
        wait_until_read(settings)

        three.send_signal(signal.SIGTERM)
        dear(sender, 3)
        assert three.wait(30) == 0
        dear(sender, 1)
        wait_for(settings, times(2, "open"))
        cheap(sender)
        wait_for(settings, times(2, "resolved"))
        two.send_signal(signal.SIGTERM)
        assert two.wait(30) == 0
    assert told_by_tenant(settings) == {tenant: ["open", "resolved"] * 2 for tenant in TENANTS}


@pytest.mark.parametrize("broker", ["apache"], indirect=True)
def test_a_broker_that_goes_away_and_comes_back(
    new_broker: Callable[[], Broker], unique_prefix: str, tmp_path: Path
) -> None:
    broker = new_broker()
    kafka = broker.settings(unique_prefix).model_copy(update={"partitions": 2})
    ensure_topics(kafka)
    settings = settings_of(kafka, tmp_path)
    log = tmp_path / "worker.log"
    with closing(Sender(kafka)) as sender, a_worker(settings, log) as worker:
        sender.minutes(5, CHEAP_CENTS)
        dear(sender, 3)
        dear(sender, 3)
        wait_for(settings, in_state("open"))
        if broker.durable:  # what stands in for Kafka where there is none forgets everything when it ends
            broker.server.stop()
            broker.server.start()
        dear(sender, 2)
        cheap(sender)
        wait_for(settings, in_state("resolved"))
        assert worker.poll() is None, log.read_text()[-3000:]
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert told_by_tenant(settings) == {tenant: ["open", "resolved"] for tenant in TENANTS}
