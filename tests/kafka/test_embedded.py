"""The embedded broker and the child process it is: starting, ending, and never being left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tokenweir.errors import BrokerUnavailable
from tokenweir.local.broker import EmbeddedBroker, cluster_id_at, free_port, port_is_free
from tokenweir.local.child_process import ChildProcess

_PATIENCE_SECONDS = 60


def _wait_until_gone(pid: int) -> None:
    """Until the process is gone, or dead and waiting for whoever inherited it to notice."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} still runs")


def test_it_starts_stops_and_starts_again() -> None:
    broker = EmbeddedBroker()
    assert broker.exit_status() is None
    with broker:
        assert cluster_id_at(broker.port).startswith("tokenweir-")
        assert broker.exit_status() is None
        with pytest.raises(BrokerUnavailable, match="already runs"):
            broker.start()
    assert broker.exit_status() is not None
    broker.stop()
    with broker:
        assert broker.exit_status() is None


def test_two_at_once_do_not_meet() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as other:
        assert one.bootstrap_servers != other.bootstrap_servers
        assert cluster_id_at(one.port) != cluster_id_at(other.port)


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerUnavailable, match=f"another program listens on 127.0.0.1:{port}"):
            EmbeddedBroker(port=port).start()


def test_its_death_is_noticed() -> None:
    with EmbeddedBroker() as broker:
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while broker.exit_status() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert broker.exit_status() == -signal.SIGKILL
        assert port_is_free(broker.port)


def test_a_program_that_is_no_broker_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "not-a-broker"
    program.write_text("#!/bin/sh\necho 'I am no broker'; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(program))
    log = tmp_path / "broker.log"
    with pytest.raises(BrokerUnavailable, match="ended while starting, with status 3") as raised:
        EmbeddedBroker(log=log).start()
    assert str(log) in raised.value.hint
    assert log.read_text() == "I am no broker\n"


def test_a_program_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "silent"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(program))
    broker = EmbeddedBroker(start_timeout_seconds=0.2)
    with pytest.raises(BrokerUnavailable, match="did not answer"):
        broker.start()
    assert broker.exit_status() == -signal.SIGKILL


def test_it_outlives_the_thread_that_started_it() -> None:
    broker = EmbeddedBroker()
    starter = threading.Thread(target=broker.start)
    starter.start()
    starter.join()
    try:
        assert cluster_id_at(broker.port)
        time.sleep(0.1)
        assert broker.exit_status() is None
    finally:
        broker.stop()


_OWNER = """
import sys, time
from tokenweir.local.broker import EmbeddedBroker
broker = EmbeddedBroker()
broker.start()
print(broker.pid, flush=True)
if sys.argv[1] == "stay":
    time.sleep(600)
"""


def test_it_goes_when_its_owner_forgets_it() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", _OWNER, "leave"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    _wait_until_gone(int(run.stdout))


if sys.platform == "linux":  # elsewhere no promise is made for an owner that is killed

    def test_it_dies_with_an_owner_that_is_killed() -> None:
        with subprocess.Popen(
            [sys.executable, "-c", _OWNER, "stay"], stdout=subprocess.PIPE, text=True
        ) as owner:
            assert owner.stdout is not None
            pid = int(owner.stdout.readline())
            assert Path(f"/proc/{pid}").exists()
            owner.kill()
        _wait_until_gone(pid)


def test_a_child_that_ignores_the_request_is_ended(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    child = ChildProcess(["/bin/sh", "-c", f"trap '' TERM; touch {ready}; while :; do sleep 1; done"])
    child.start()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert child.stop(grace_seconds=0.1) == -signal.SIGKILL
    assert child.stop() == -signal.SIGKILL


def test_a_child_hears_no_ctrl_c(tmp_path: Path) -> None:
    child = ChildProcess(["/bin/sleep", "600"])
    child.start()
    try:
        assert child.pid is not None
        assert os.getpgid(child.pid) != os.getpgid(0)
    finally:
        child.kill()


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    child = ChildProcess(["/bin/sleep", "600"], log=tmp_path / "missing" / "log")
    with pytest.raises(FileNotFoundError):
        child.start()
    assert child.exit_status() is None
    assert child.stop() is None


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    port = free_port()
    assert 20_000 <= port < 32_000
    with socket.create_server(("127.0.0.1", port)):
        assert not port_is_free(port)
