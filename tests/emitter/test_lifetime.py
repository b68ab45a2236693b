"""An emitter in the places where applications live: notebooks, pre-forked workers, short-lived functions, exits."""

import gc
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from producers.emitter import Emitter, lifetime
from tests.emitter.programs import run_program
from tests.emitter.topic_contents import event, make_topics, read_ids, read_topic
from tests.kafka.fixtures import Broker
from tokenweir.errors import WrongCall
from tokenweir.local.broker import free_port
from tokenweir.settings import KafkaSettings

_PATIENCE_SECONDS = 60.0


@pytest.fixture
def here(embedded_broker: Broker, unique_prefix: str) -> KafkaSettings:
    settings = embedded_broker.settings(unique_prefix)
    make_topics(settings)
    return settings


def emitters_threads() -> int:
    return sum(thread.name.startswith("tokenweir-") for thread in threading.enumerate())


def test_a_cell_that_is_run_again_and_again_leaves_nothing(here: KafkaSettings, tmp_path: Path) -> None:
    """Nobody closes the emitter of the cell's earlier run; what it had is sent and its threads end."""
    for run in range(5):
        emitter = Emitter(here, spool_dir=tmp_path / "spool")
        for number in range(10):
            assert emitter.record(event(run * 10 + number))
        assert emitters_threads() <= 4
        del emitter
        gc.collect()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while emitters_threads() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert emitters_threads() == 0
    assert Counter(read_ids(here)) == Counter(f"openai:call-{number}" for number in range(50))
    assert not lifetime.open_workers
    assert list((tmp_path / "spool").iterdir()) == []


def test_an_emitter_that_was_never_used_is_just_gone() -> None:
    emitter = Emitter(KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}"))
    del emitter
    gc.collect()
    assert emitters_threads() == 0
    assert not lifetime.open_workers


def test_workers_forked_from_a_master_that_made_the_emitter(here: KafkaSettings, tmp_path: Path) -> None:
    """As a web server does with an application that is loaded before the fork; the master reports, too."""
    run_program(
        here,
        """
        import signal, threading

        emitter.record(event(0))
        children = []
        for worker in range(1, 4):
            child = os.fork()
            if child == 0:
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
                for number in range(20):
                    emitter.record(event(worker * 100 + number))
                    time.sleep(0.002)
                signal.pause()
            children.append(child)
        time.sleep(1)
        for child in children:
            os.kill(child, signal.SIGTERM)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """,
        tmp_path / "spool",
    )
    numbers = [0, *(worker * 100 + number for worker in range(1, 4) for number in range(20))]
    assert Counter(read_ids(here)) == Counter(f"openai:call-{number}" for number in numbers)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_function_that_is_frozen_after_each_invocation_flushes_at_its_end(here: KafkaSettings) -> None:
    """Between `flush` and the next `record` the process may stand still for any time: nothing is left to do."""
    emitter = Emitter(here)
    for invocation in range(3):
        assert emitter.record(event(invocation))
        assert emitter.flush(_PATIENCE_SECONDS)
        assert read_ids(here).count(f"openai:call-{invocation}") == 1
        assert emitter.statistics.pending == 0
    emitter.close()


def test_the_end_of_a_program_is_bounded_for_all_emitters_together(tmp_path: Path) -> None:
    away = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")
    began = time.monotonic()
    said = run_program(
        away,
        """
        emitters = [
            Emitter(KafkaSettings(bootstrap_servers=sys.argv[1]), exit_timeout_seconds=1.0) for _ in range(6)
        ]
        [emitter.record(event(1)) for emitter in emitters]
        print(time.monotonic())
        """,
    )
    assert time.monotonic() - float(said) < 5.0, began


def test_the_environment_makes_an_emitter(
    here: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS", here.bootstrap_servers)
    monkeypatch.setenv("TOKENWEIR_KAFKA__TOPIC_PREFIX", here.topic_prefix)
    monkeypatch.setenv("TOKENWEIR_EMITTER__SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("TOKENWEIR_EMITTER__SOURCE", "billing-job")
    monkeypatch.setenv("TOKENWEIR_TEAM", "checkout")
    monkeypatch.setenv("TOKENWEIR_TAGS", "tier=gold")
    with Emitter.from_environment() as emitter:
        emitter.record(event(1))
        emitter.record(
            {"model": "gpt-4o", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}, vendor="openai"
        )
        assert emitter.flush(_PATIENCE_SECONDS)
        assert len(list((tmp_path / "spool").iterdir())) == 1
    lines = [line for message in read_topic(here) for line in message.lines]
    assert {(line["team"], line["tags"]["tier"]) for line in lines} == {("checkout", "gold")}
    assert sorted(line["source"] for line in lines) == ["billing-job", "test"]
    monkeypatch.setenv("TOKENWEIR_EMITTER__SPOOL_KEEP", "everything")
    with pytest.raises((WrongCall, ValueError)):
        Emitter.from_environment()
