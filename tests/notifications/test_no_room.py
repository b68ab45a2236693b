"""A full disk, a folder that cannot be written: it is said, nothing is lost, and nobody is told again and again."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sinks.notifications.notifier import Notifier
from streams.app import build_app
from streams.topic_admin import ensure_topics
from tests.kafka.fixtures import Broker
from tests.notifications.making import channel, incident_signal, notifying
from tests.notifications.servers import HttpService, http_service
from tests.notifications.test_notify_worker import all_taken, send
from tokenweir.errors import StoreUnavailable
from tokenweir.settings import NotificationSettings, Settings, WorkerSettings


@pytest.fixture
def http() -> Iterator[HttpService]:
    with http_service() as service:
        yield service


@contextmanager
def full_disk() -> Iterator[None]:
    """The system takes nothing more into any file of this process."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def test_a_signal_that_cannot_be_kept_is_said_and_can_be_given_again(
    http: HttpService, tmp_path: Path
) -> None:
    signal = incident_signal("search")
    with notifying(tmp_path, {"chat": channel(http.url())}) as clock:
        with full_disk():
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match="disk") as raised:
                    clock.accept(signal)
            assert str(tmp_path) in raised.value.message
            assert raised.value.hint
        clock.accept(signal)
        assert clock.after(seconds=11) == ["chat"]
    assert len(http.posts) == 1


def test_nothing_is_sent_that_could_not_be_noted(http: HttpService, tmp_path: Path) -> None:
    with notifying(tmp_path, {"chat": channel(http.url())}) as clock:
        clock.accept(incident_signal("search"))
        with full_disk():
            for _ in range(3):  # a worker that is started again and again
                with pytest.raises(StoreUnavailable):
                    clock.after(seconds=11)
        assert http.posts == []
        assert clock.after(seconds=11) == ["chat"]
    assert len(http.posts) == 1


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    settings = NotificationSettings(channels={"chat": channel("json://127.0.0.1:9/x")})
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        Notifier(settings, tmp_path / "file" / "notifications", chance=lambda: 1.0)
    folder = tmp_path / "notifications"
    folder.mkdir()
    (folder / "outbox.sqlite").write_bytes(b"this is no database" * 100)
    for _ in range(2):  # the lock is given back
        with pytest.raises(StoreUnavailable, match="not a database"):
            Notifier(settings, folder, chance=lambda: 1.0)


async def test_a_worker_that_cannot_keep_what_it_reads_stops_and_leaves_it_to_the_next(
    embedded_broker: Broker, unique_prefix: str, http: HttpService, tmp_path: Path
) -> None:
    kafka = embedded_broker.settings(unique_prefix).model_copy(update={"partitions": 1})
    settings = Settings(kafka=kafka, worker=WorkerSettings(state_dir=tmp_path / "state"))
    ensure_topics(kafka)
    await asyncio.to_thread(send, kafka, incident_signal("search", observed_at=datetime.now(UTC)))
    with notifying(tmp_path, {"chat": channel(http.url())}) as clock, full_disk():
        worker = build_app(settings, "notify", outbox=clock.notifier)
        await worker.start()
        await asyncio.wait_for(worker.failed.wait(), 60)
        assert isinstance(worker.failure, StoreUnavailable)
        assert not worker.health()["healthy"]
        await worker.stop(drain_seconds=0)
    # Kafka has it all the same: whoever is started next reads it again.
    assert not await asyncio.to_thread(all_taken(kafka))
    assert http.posts == []
