"""The distributed run: a process each for two meters and two sinks on one Kafka and one ClickHouse, killed under load.

ClickHouse is the engine in a process of its own (tests/clickhouse/server.py); Kafka is Apache Kafka, and the
embedded broker where that cannot be had.
"""

import signal
import subprocess
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from producers.delivery import Delivery
from producers.delivery.batching import Message
from producers.delivery.sender import BlockingSender
from producers.simulation import FleetSimulation
from tests.clickhouse.process import clickhouse_server
from tests.end_to_end.commands import weir, weir_json, weir_process
from tests.end_to_end.ledger_model import LedgerModel
from tests.kafka.fixtures import Broker
from tokenweir import topics
from tokenweir.local.broker import free_port
from tokenweir.local.drain import wait_until_stored
from tokenweir.pricing import PriceBook

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


class Workers:
    """The `weir worker` processes of a test, by name; each can be killed and started again."""

    def __init__(self, folder: Path, extra: dict[str, str]) -> None:
        self._folder = folder
        self._extra = extra
        self._stack = ExitStack()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Starts `meter-1`, `sink-2`…"""
        self.processes[name] = self._stack.enter_context(
            weir_process(
                "worker",
                "--role",
                name.partition("-")[0],
                cwd=self._folder,
                log=self._folder / f"{name}.log",
                extra={**self._extra, "TOKENWEIR_WORKER__STATE_DIR": str(self._folder / name)},
            )
        )

    def kill(self, name: str) -> None:
        """As `kill -9` does."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def close(self) -> None:
        """Ends all."""
        self._stack.close()


def test_two_of_each_role_killed_under_load_leave_an_exact_ledger(
    apache_kafka: Broker, unique_prefix: str, tmp_path: Path
) -> None:
    port = free_port()
    kafka = apache_kafka.settings(unique_prefix)
    extra = {
        "TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TOKENWEIR_KAFKA__TOPIC_PREFIX": unique_prefix,
        "TOKENWEIR_KAFKA__PARTITIONS": "4",
        "TOKENWEIR_KAFKA__SESSION_TIMEOUT_SECONDS": "6",
        "TOKENWEIR_KAFKA__REBALANCE_TIMEOUT_SECONDS": "6",
        "TOKENWEIR_CLICKHOUSE__DSN": f"clickhouse://127.0.0.1:{port}",
        "TOKENWEIR_CLICKHOUSE__FLUSH_EVENTS": "5000",
    }
    simulation = FleetSimulation(seed=7, days=3, end=datetime.now(UTC))
    book = PriceBook.default()
    model = LedgerModel(book)
    workers = Workers(tmp_path, extra)
    with clickhouse_server(tmp_path / "clickhouse", port):
        weir("topics", "create", cwd=tmp_path, extra=extra)
        weir("migrate", cwd=tmp_path, extra=extra)
        names = ("meter-1", "meter-2", "sink-1", "sink-2")
        try:
            for name in names:
                workers.start(name)
            delivery = Delivery(kafka)
            sending = threading.Event()

            def disturb() -> None:
                for victim in ("meter-1", "sink-1"):
                    sending.wait()
                    time.sleep(4)
                    workers.kill(victim)
                    time.sleep(2)
                    workers.start(victim)

            trouble = threading.Thread(target=disturb)
            trouble.start()
            with BlockingSender(delivery) as sender:
                for number, batch in enumerate(simulation.events()):
                    model.add(batch)
                    for event in batch:
                        sender.record_blocking(event)
                    if number % 100 == 0:
                        # Slow enough for the kills to come while messages flow, and a bad line now and then.
                        sending.set()
                        time.sleep(0.5)
                        bad = Message(delivery.topic(topics.USAGE.name), None, b'{"id":"bad"}', 1)
                        delivery.send(bad, timeout_seconds=60)
            assert delivery.close(60)
            trouble.join()
            undrained = wait_until_stored(kafka, timeout_seconds=180)
            said = "\n".join((tmp_path / f"{name}.log").read_text()[-2000:] for name in names)
            assert undrained.total == 0, said
            (row,) = weir_json("spend", "--json", cwd=tmp_path, extra=extra)
            expected = model.totals()
            assert {name: row[name] for name in expected if name != "cost"} == {
                name: value for name, value in expected.items() if name != "cost"
            }
            assert Decimal(row["cost"]) == expected["cost"]
            rejected = weir_json("rejected", "--limit", "10000", "--json", cwd=tmp_path, extra=extra)
            assert {entry["reason"] for entry in rejected} == {"missing_field"}
        finally:
            workers.close()
