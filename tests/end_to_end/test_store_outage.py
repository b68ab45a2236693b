"""A ClickHouse that is not ready, goes away and comes back: the workers wait and say why, and all is stored once."""

import json
import subprocess
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from tests.clickhouse.process import clickhouse_server
from tests.end_to_end.commands import wait_for, weir, weir_json, weir_process
from tests.end_to_end.running import event
from tests.kafka.fixtures import Broker
from tokenweir.local.broker import free_port

pytestmark = [pytest.mark.xdist_group("store_outage"), pytest.mark.timeout(600)]

EVENTS = 2_000


def test_a_store_that_comes_and_goes_has_everything_once(
    embedded_broker: Broker, unique_prefix: str, tmp_path: Path
) -> None:
    port = free_port()
    extra = {
        "TOKENWEIR_KAFKA__BOOTSTRAP_SERVERS": embedded_broker.bootstrap_servers,
        "TOKENWEIR_KAFKA__TOPIC_PREFIX": unique_prefix,
        "TOKENWEIR_KAFKA__PARTITIONS": "2",
        "TOKENWEIR_KAFKA__SESSION_TIMEOUT_SECONDS": "6",
        "TOKENWEIR_KAFKA__REBALANCE_TIMEOUT_SECONDS": "6",
        "TOKENWEIR_CLICKHOUSE__DSN": f"clickhouse://127.0.0.1:{port}",
    }
    files = [tmp_path / f"events-{number}.ndjson" for number in range(3)]
    for part, file in enumerate(files):
        numbers = range(part * EVENTS, (part + 1) * EVENTS)
        file.write_text("".join(json.dumps(event(number)) + "\n" for number in numbers))

    weir("topics", "create", cwd=tmp_path, extra=extra)
    workers: list[subprocess.Popen[bytes]] = []
    sink_log = tmp_path / "sink.log"

    def said(words: str) -> bool:
        return words in sink_log.read_text()

    with ExitStack() as stack:
        with clickhouse_server(tmp_path / "clickhouse", port) as server:
            missing = weir("spend", cwd=tmp_path, status=1, extra=extra).stderr.decode()
            assert "weir migrate" in missing
            for role in ("meter", "sink"):
                states = {**extra, "TOKENWEIR_WORKER__STATE_DIR": str(tmp_path / role)}
                worker = weir_process(
                    "worker", "--role", role, cwd=tmp_path, log=tmp_path / f"{role}.log", extra=states
                )
                workers.append(stack.enter_context(worker))
            with weir_process(
                "ingest", files[0], cwd=tmp_path, log=tmp_path / "ingest-1.log", extra=extra
            ) as ingest:
                wait_for("the sink to miss its tables", lambda: said("Run `weir migrate`"), log=sink_log)
                assert ingest.poll() is None
                weir("migrate", cwd=tmp_path, extra=extra)
                assert ingest.wait(timeout=120) == 0, (tmp_path / "ingest-1.log").read_text()
            with weir_process("ingest", files[1], cwd=tmp_path, log=tmp_path / "ingest-2.log", extra=extra):
                server.kill()
                server.wait()
                wait_for("the sink to miss the store", lambda: said("does not take a block"), log=sink_log)
                assert (
                    "No ClickHouse answers"
                    in weir("spend", cwd=tmp_path, status=1, extra=extra).stderr.decode()
                )
                with clickhouse_server(tmp_path / "clickhouse", port):
                    weir("ingest", files[2], cwd=tmp_path, extra=extra)
                    # Everything again: nothing is counted twice.
                    summary = weir_json("ingest", *files, "--json", cwd=tmp_path, extra=extra)
                    assert summary["events"] == 3 * EVENTS
                    (row,) = weir_json("spend", "--json", cwd=tmp_path, extra=extra)
                    assert (row["calls"], row["input_tokens"]) == (3 * EVENTS, 3000 * EVENTS)
                    assert Decimal(row["cost"]) == Decimal("0.0075") * 3 * EVENTS
                    assert weir_json("rejected", "--json", cwd=tmp_path, extra=extra) == []
        assert [worker.poll() for worker in workers] == [None, None]
    for name in ("meter", "sink"):
        assert "Traceback" not in (tmp_path / f"{name}.log").read_text()
