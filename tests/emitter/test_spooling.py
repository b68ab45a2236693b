"""The emitter with a spool, against brokers that go away, processes that are killed, disks that are full."""

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producers.emitter import Emitter
from tests.emitter.programs import run_program, running_program
from tests.emitter.topic_contents import event, make_topics, read_ids, read_topic
from tests.kafka.fixtures import EMBEDDED, Broker
from tokenweir.local.broker import EmbeddedBroker, free_port
from tokenweir.settings import KafkaSettings

_PATIENCE_SECONDS = 60.0
SURVIVES_SECONDS = 1.0
"""Linger and one turn of the thread, with room for a machine that has much else to do."""

AT_A_PACE = "report_at_a_pace(emitter, 0, 1_000)"


@pytest.fixture
def stopped(tmp_path: Path, unique_prefix: str) -> Iterator[tuple[Broker, KafkaSettings]]:
    """An embedded broker that is away, to be started."""
    server = EmbeddedBroker(port=free_port(), log=tmp_path / "broker.log")
    server.start()
    broker = Broker(EMBEDDED, server)
    settings = broker.settings(unique_prefix)
    server.stop()
    yield broker, settings
    server.kill()


def wait_for(what: str, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.02)


def is_all_confirmed(emitter: Emitter) -> bool:
    found = emitter.statistics
    return found.pending == 0 and found.spooled_bytes == 0 and found.confirmed > 0


def left_in(spool_dir: Path) -> list[Path]:
    return [path for path in spool_dir.rglob("*.segment") if path.stat().st_size]


@pytest.mark.parametrize("after_seconds", [0.0, 0.3])
def test_an_outage_larger_than_memory_is_survived_in_order(
    stopped: tuple[Broker, KafkaSettings],
    tmp_path: Path,
    after_seconds: float,
) -> None:
    broker, settings = stopped
    with Emitter(
        settings,
        spool_dir=tmp_path / "spool",
        max_pending_events=5_000,
        max_pending_bytes=400_000,
        spool_after_seconds=after_seconds,
    ) as emitter:
        for number in range(30_000):
            while not emitter.record(event(number)):
                time.sleep(0.01)  # faster than the emitter's thread
        wait_for("the spool", lambda: emitter.statistics.spooled_bytes > 3_000_000)
        found = emitter.statistics
        assert found.pending == 30_000
        assert found.pending_bytes < 500_000
        broker.server.start()
        make_topics(settings)
        for number in range(30_000, 30_100):
            assert emitter.record(event(number))
        assert emitter.flush(_PATIENCE_SECONDS)
        wait_for("an empty spool", lambda: is_all_confirmed(emitter))
        assert "full" not in emitter.statistics.dropped or emitter.statistics.recorded == 30_100
    (partition,) = {message.partition for message in read_topic(settings)}
    assert read_ids(settings) == [f"openai:call-{number}" for number in range(30_100)], partition
    assert left_in(tmp_path / "spool") == []


def _recorded_before(said: Path, seconds_before_the_end: float, killed_at: float) -> set[str]:
    lines = [line.split() for line in said.read_text().splitlines() if line.count(" ") == 1]
    return {f"openai:call-{number}" for number, at in lines if float(at) < killed_at - seconds_before_the_end}


def test_an_outage_under_load_and_kill_9_within_it_lose_nothing(
    new_broker: Callable[[], Broker], unique_prefix: str, tmp_path: Path
) -> None:
    broker = new_broker()
    settings = broker.settings(unique_prefix)
    make_topics(settings)
    spool, said = tmp_path / "spool", tmp_path / "said"
    with running_program(settings, AT_A_PACE, spool, said) as process:
        wait_for("some calls", lambda: said.read_bytes().count(b"\n") > 500)
        broker.server.stop()
        first_away = said.read_bytes().count(b"\n")
        wait_for("calls without Kafka", lambda: said.read_bytes().count(b"\n") > first_away + 2_000)
        process.kill()
        process.wait()
        killed_at = time.monotonic()
    recorded = _recorded_before(said, SURVIVES_SECONDS, killed_at)
    assert len(recorded) > 1_000
    broker.server.start()
    make_topics(settings)
    with Emitter(settings, spool_dir=spool) as emitter:
        emitter.start()
        wait_for("the replay", lambda: is_all_confirmed(emitter))
        found = emitter.statistics
        assert (found.recorded, found.adopted) == (0, found.confirmed)
    assert left_in(spool) == []
    # The embedded broker forgets what it has confirmed when it stops.
    first = 0 if broker.durable else first_away
    numbers = list(
        dict.fromkeys(int(identity.removeprefix("openai:call-")) for identity in read_ids(settings))
    )
    assert {f"openai:call-{number}" for number in range(first, len(recorded))} <= {
        f"openai:call-{number}" for number in numbers
    }
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_a_process_killed_while_kafka_is_there_loses_nothing_either(
    embedded_broker: Broker, unique_prefix: str, tmp_path: Path
) -> None:
    settings = embedded_broker.settings(unique_prefix)
    make_topics(settings)
    spool, said = tmp_path / "spool", tmp_path / "said"
    with running_program(settings, AT_A_PACE, spool, said) as process:
        wait_for("two thousand calls", lambda: said.read_bytes().count(b"\n") > 2_000)
        process.kill()
        process.wait()
        killed_at = time.monotonic()
    with Emitter(settings, spool_dir=spool) as emitter:
        emitter.start()
        wait_for("the replay", lambda: left_in(spool) == [])
    found = Counter(read_ids(settings))
    assert _recorded_before(said, SURVIVES_SECONDS, killed_at) <= found.keys()
    # What had not been confirmed yet, as far as the process knew, may be there twice, under the same id.
    assert sum(found.values()) - len(found) <= 1_000
    assert left_in(spool) == []


def test_processes_share_a_directory_and_one_takes_over_from_the_dead(
    stopped: tuple[Broker, KafkaSettings], tmp_path: Path
) -> None:
    broker, settings = stopped
    spool = tmp_path / "spool"
    body = "report_at_a_pace(emitter, {}, 200)"
    with (
        running_program(settings, body.format(1_000_000), spool, tmp_path / "first") as first,
        running_program(settings, body.format(2_000_000), spool, tmp_path / "second") as second,
    ):
        for said in ("first", "second"):
            wait_for(said, lambda said=said: (tmp_path / said).read_bytes().count(b"\n") > 500)  # type: ignore[misc]
        for process in (first, second):
            process.kill()
            process.wait()
        killed_at = time.monotonic()
    broker.server.start()
    make_topics(settings)
    emitters = [Emitter(settings, spool_dir=spool) for _ in range(3)]
    for emitter in emitters:
        emitter.start()
    wait_for("the replay", lambda: left_in(spool) == [])
    assert all(emitter.close(_PATIENCE_SECONDS) for emitter in emitters)
    found = Counter(read_ids(settings))
    expected = {
        identity
        for said in ("first", "second")
        for identity in _recorded_before(tmp_path / said, SURVIVES_SECONDS, killed_at)
    }
    assert expected <= found.keys()
    assert set(found.values()) == {1}
    assert list(spool.iterdir()) == []


def test_a_normal_end_leaves_the_rest_for_the_next_start(
    stopped: tuple[Broker, KafkaSettings], tmp_path: Path
) -> None:
    broker, settings = stopped
    emitter = Emitter(settings, spool_dir=tmp_path / "spool")
    assert all(emitter.record(event(number)) for number in range(100))
    assert emitter.close(0.3)  # nothing is given up
    found = emitter.statistics
    assert (found.pending, dict(found.dropped)) == (100, {})
    broker.server.start()
    make_topics(settings)
    with Emitter(settings, spool_dir=tmp_path / "spool") as emitter:
        assert emitter.record(event(100))
        wait_for("the replay", lambda: is_all_confirmed(emitter))
        assert emitter.statistics.adopted == 100
    assert Counter(read_ids(settings)) == Counter(f"openai:call-{number}" for number in range(101))


def test_a_forked_child_spools_for_itself_and_leaves_its_parents_alone(
    stopped: tuple[Broker, KafkaSettings], tmp_path: Path
) -> None:
    broker, settings = stopped
    spool = tmp_path / "spool"
    run_program(
        settings,
        """
        [emitter.record(event(number)) for number in range(10)]
        time.sleep(0.4)
        child = os.fork()
        [emitter.record(event(number)) for number in (range(100, 110) if child else range(200, 210))]
        if child == 0:
            time.sleep(0.4)
            os._exit(0)  # as multiprocessing's children end: no exit handler
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert emitter.close(0.5)
        """,
        spool,
    )
    broker.server.start()
    make_topics(settings)
    with Emitter(settings, spool_dir=spool) as emitter:
        emitter.start()
        wait_for("the replay", lambda: is_all_confirmed(emitter))
    numbers = [*range(10), *range(100, 110), *range(200, 210)]
    assert Counter(read_ids(settings)) == Counter(f"openai:call-{number}" for number in numbers)


def _record_many(emitter: Emitter, first: int, count: int) -> int:
    """How many were taken."""
    taken = 0
    for number in range(first, first + count):
        taken += emitter.record(event(number, session=f"{number:0200}"))
        if number % 500 == 0:
            emitter.flush(0.05)
    emitter.flush(0.2)
    return taken


@pytest.mark.parametrize("keep", ["oldest", "newest"])
def test_both_bounds_hold_and_what_stays_is_chosen(
    stopped: tuple[Broker, KafkaSettings],
    tmp_path: Path,
    keep: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker, settings = stopped
    emitter = Emitter(
        settings,
        spool_dir=tmp_path / "spool",
        spool_max_bytes=1_000_000,
        spool_keep=keep,  # type: ignore[arg-type]
        max_pending_bytes=600_000,
    )
    taken = _record_many(emitter, 0, 10_000)
    found = emitter.statistics
    assert found.spooled_bytes <= 1_000_000
    assert found.pending_bytes < 800_000
    broker.server.start()
    make_topics(settings)
    assert emitter.close(_PATIENCE_SECONDS)
    numbers = [int(identity.removeprefix("openai:call-")) for identity in read_ids(settings)]
    assert len(numbers) == len(set(numbers))
    found = emitter.statistics
    assert len(numbers) == found.confirmed == found.recorded - found.dropped.get("spool_full", 0)
    if keep == "oldest":
        assert found.dropped == {"full": 10_000 - taken}
        assert numbers[:taken] == list(range(taken))
        assert "is full" in caplog.text
    else:
        assert taken == 10_000
        assert found.dropped.keys() == {"spool_full"}
        assert numbers[-1] == 9_999
        assert set(range(9_000, 10_000)) <= set(numbers)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk too small for the events."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_said_and_memory_takes_over(
    stopped: tuple[Broker, KafkaSettings],
    small_disk: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker, settings = stopped
    emitter = Emitter(settings, spool_dir=small_disk / "spool", max_pending_bytes=3_000_000)
    assert _record_many(emitter, 0, 5_000) == 5_000
    found = emitter.statistics
    assert (found.pending, dict(found.dropped)) == (5_000, {})
    assert found.spooled_bytes <= 512 * 1024
    assert "No space left on device" in found.last_error
    assert caplog.text.count("what comes waits in memory alone") == 1
    broker.server.start()
    make_topics(settings)
    assert emitter.close(_PATIENCE_SECONDS)
    assert read_ids(settings) == [f"openai:call-{number}" for number in range(5_000)]
    assert left_in(small_disk) == []


def test_a_place_that_is_no_good_is_said_and_harms_nothing(
    embedded_broker: Broker, unique_prefix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = embedded_broker.settings(unique_prefix)
    make_topics(settings)
    (tmp_path / "taken").write_text("mine")
    for place in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with Emitter(settings, spool_dir=place) as emitter:
            assert emitter.record(event(1))
            assert emitter.flush(_PATIENCE_SECONDS)
            assert emitter.statistics.confirmed == 1
            assert "spool" in emitter.statistics.last_error
    assert "spool" in caplog.text
    assert (tmp_path / "taken").read_text() == "mine"


def test_damage_on_disk_costs_what_it_hits(stopped: tuple[Broker, KafkaSettings], tmp_path: Path) -> None:
    broker, settings = stopped
    spool = tmp_path / "spool"
    with Emitter(settings, spool_dir=spool) as emitter:
        for number in range(100):
            emitter.record(event(number, team=f"team-{number % 10}"))
        emitter.close(0.3)
    (segment,) = left_in(spool)
    content = segment.read_bytes()
    segment.write_bytes(content[:-10] + b"\x00" * 500)
    broker.server.start()
    make_topics(settings)
    with Emitter(settings, spool_dir=spool) as emitter:
        emitter.start()
        wait_for("the replay", lambda: left_in(spool) == [])
        assert emitter.flush(_PATIENCE_SECONDS)
        wait_for("the confirmation", lambda: emitter.statistics.confirmed == 90)
        assert emitter.statistics.pending == 0
    assert len(set(read_ids(settings))) == 90
