"""A real Apache Kafka for tests, benchmarks and `make kafka`: one node, broker and KRaft controller in one process.

It listens on loopback only, keeps its data in a temporary directory that `close` removes, and cannot outlive the
process that started it.

Run as a program, `python -m tests.kafka.apache --port 9092` keeps one running until it is interrupted.
"""

import argparse
import base64
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.kafka.provision import find_java, resolve_jars, tail
from tokenweir.errors import BrokerUnavailable
from tokenweir.local.broker import HOST, free_port, port_is_free
from tokenweir.local.child_process import ChildProcess

_START_TIMEOUT_SECONDS: Final = 120.0
_ATTEMPTS: Final = 3


class KafkaStartFailed(BrokerUnavailable):
    """Everything was there, and Kafka did not come up."""


class ApacheKafka:
    """One node of Apache Kafka; a context manager, which closes it.

    port: 0 takes a free one, kept over restarts. directory: where data and log go; a temporary one by default.
    is_brief: it will not live long enough to earn back what Java spends on making it fast.
    `stop` and `kill` keep the data for the next `start`; `close` stops it and removes what it made.
    Raises on start: KafkaNotToBeHad where it cannot be had here, KafkaStartFailed with the end of its log.
    """

    def __init__(
        self, *, port: int = 0, directory: Path | None = None, heap_mib: int = 512, is_brief: bool = False
    ) -> None:
        self._wanted_port = port
        self._port = port
        self._heap_mib = heap_mib
        self._is_brief = is_brief
        self._own_directory = directory is None
        self._directory = directory
        self._child: ChildProcess | None = None
        self._controller_port = 0
        self._prepared = False
        self._has_run = False

    @property
    def bootstrap_servers(self) -> str:
        """host:port, for clients."""
        return f"{HOST}:{self._port}"

    @property
    def port(self) -> int:
        """The port it listens on; before the first start the one asked for."""
        return self._port

    @property
    def pid(self) -> int | None:
        """The process id of the Java process; None before the first start."""
        return None if self._child is None else self._child.pid

    @property
    def log(self) -> Path:
        """Kafka's own log, warnings and errors only."""
        if self._directory is None:
            raise KafkaStartFailed("Apache Kafka has not been started, so it has no log")
        return self._directory / "kafka.log"

    def exit_status(self) -> int | None:
        """None while it runs (or never ran); else the status it ended with, negative for a signal."""
        return None if self._child is None else self._child.exit_status()

    def start(self) -> None:
        """Start it and wait until it takes requests. After `stop` or `kill`: on the same port and data."""
        if self._child is not None and self._child.exit_status() is None:
            raise KafkaStartFailed(f"Apache Kafka already runs on {self.bootstrap_servers}")
        java, jars = find_java(), resolve_jars()
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="tokenweir-kafka-"))
        for attempt in range(1, _ATTEMPTS + 1):
            if not self._prepared:
                self._prepare(java, jars)
            if not port_is_free(self._port):
                raise KafkaStartFailed(
                    f"another program listens on {self.bootstrap_servers}",
                    hint="Stop it, or name another port",
                )
            try:
                self._start_once(java, jars)
                break
            except KafkaStartFailed:
                # A port found free can be taken by the time Kafka listens. One that was asked for, or that clients
                # know already, is kept.
                taken = "Address already in use" in self.log.read_text(errors="replace")
                if not taken or attempt == _ATTEMPTS or self._wanted_port or self._has_run:
                    raise
                self.log.unlink()
                self._prepared = False
        self._has_run = True

    def _prepare(self, java: str, jars: Path) -> None:
        assert self._directory is not None
        self._directory.mkdir(parents=True, exist_ok=True)
        self._port = self._wanted_port or free_port()
        self._controller_port = self._port
        while self._controller_port == self._port:
            self._controller_port = free_port()
        properties = self._directory / "server.properties"
        properties.write_text(self._properties(), encoding="utf-8")
        # A directory that was handed in may hold the data of an earlier run.
        if not (self._directory / "data" / "meta.properties").exists():
            self._format_storage(java, jars, properties)
        self._prepared = True

    def _format_storage(self, java: str, jars: Path, properties: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # --flag=value, since a cluster id may begin with a hyphen.
        command = [java, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*", "kafka.tools.StorageTool"]
        command += ["format", f"--cluster-id={cluster_id}", f"--config={properties}"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if run.returncode != 0:
            raise KafkaStartFailed(
                "Kafka could not format its storage",
                hint=f"The end of what it said:\n{tail(run.stdout + run.stderr)}",
            )

    def _properties(self) -> str:
        assert self._directory is not None
        settings: dict[str, object] = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{HOST}:{self._port},CONTROLLER://{HOST}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{self._port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._directory / "data",
            "auto.create.topics.enable": "false",
            "message.max.bytes": 16 * 1024 * 1024,
            "replica.fetch.max.bytes": 16 * 1024 * 1024,
            "socket.request.max.bytes": 32 * 1024 * 1024,
            # One node, a test's life: no replicas to wait for, few internal partitions, no waiting for more members.
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 2,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
            "log.segment.bytes": 64 * 1024 * 1024,
            "num.network.threads": 2,
            "num.io.threads": 4,
            "background.threads": 2,
            # After a kill -9 the controller takes the broker back only when its old session has run out.
            "broker.heartbeat.interval.ms": 500,
            "broker.session.timeout.ms": 4000,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def _start_once(self, java: str, jars: Path) -> None:
        assert self._directory is not None
        command = [java, f"-Xms{min(256, self._heap_mib)}m", f"-Xmx{self._heap_mib}m", "-XX:+UseSerialGC"]
        if self._is_brief:
            command += ["-XX:TieredStopAtLevel=1"]
        command += ["-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        command += ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dlog4j2.statusLoggerLevel=OFF"]
        # What it unpacks for itself would be left behind where it is killed.
        command += [f"-Djava.io.tmpdir={self._directory}", "-XX:-UsePerfData"]
        command += ["-cp", f"{jars}/*", "kafka.Kafka", str(self._directory / "server.properties")]
        child = ChildProcess(command, log=self.log)
        child.start()
        self._child = child
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while child.exit_status() is None:
            if _takes_requests(self.bootstrap_servers):
                return
            if time.monotonic() > deadline:
                child.kill()
                raise KafkaStartFailed(
                    f"Apache Kafka did not answer on {self.bootstrap_servers} within {_START_TIMEOUT_SECONDS:g} s",
                    hint=self._log_end(),
                )
            time.sleep(0.1)
        raise KafkaStartFailed(
            f"Apache Kafka on {self.bootstrap_servers} ended while starting, with status {child.exit_status()}",
            hint=self._log_end(),
        )

    def _log_end(self) -> str:
        return f"The end of its log:\n{tail(self.log.read_text(errors='replace'))}"

    def stop(self) -> None:
        """Shut it down in order; its data stays for the next `start`."""
        if self._child is not None:
            self._child.stop(grace_seconds=30)

    def kill(self) -> None:
        """End it without warning, as `kill -9` does; its data stays for the next `start`."""
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        """End it and remove its temporary directory (never one that was handed in)."""
        # Its data is about to go, so an orderly end would only take time.
        self.kill()
        if self._own_directory and self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _takes_requests(bootstrap_servers: str) -> bool:
    if port_is_free(int(bootstrap_servers.rpartition(":")[2])):
        return False
    try:
        with KafkaAdminClient(bootstrap_servers=bootstrap_servers, bootstrap_timeout_ms=2000) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except KafkaError:
        return False


def main() -> int:
    """Keep one running in the foreground until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.kafka.apache",
        description="A single-node Apache Kafka on loopback, until Ctrl-C.",
    )
    parser.add_argument(
        "--port", type=int, default=9092, help="port on 127.0.0.1 (default 9092; 0 takes a free one)"
    )
    parser.add_argument("--data-dir", type=Path, help="keep its data here (default: a temporary directory)")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print("starting Apache Kafka …", flush=True)
    try:
        with ApacheKafka(port=arguments.port, directory=arguments.data_dir) as kafka:
            print(
                f"Apache Kafka answers on {kafka.bootstrap_servers} (log: {kafka.log})\n"
                f"  export TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS={kafka.bootstrap_servers}\n"
                "Ctrl-C stops it.",
                flush=True,
            )
            while not ended.wait(0.5):
                if kafka.exit_status() is not None:
                    print(f"Apache Kafka ended by itself, status {kafka.exit_status()}", file=sys.stderr)
                    print(tail(kafka.log.read_text(errors="replace")), file=sys.stderr)
                    return 1
            kafka.stop()
    except BrokerUnavailable as failure:
        print(f"error: {failure}", file=sys.stderr)
        return failure.exit_status
    print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
