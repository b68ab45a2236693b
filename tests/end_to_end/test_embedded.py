"""`weir up` as its user meets it: the doors, other commands beside it, a full stop, a kill, a directory in use."""

import json
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import clickhouse_connect
import pytest

from tests.end_to_end.commands import wait_for, weir, weir_json
from tests.end_to_end.running import Up, event, start
from tokenweir.settings import KafkaSettings

pytestmark = [pytest.mark.xdist_group("end_to_end"), pytest.mark.timeout(600)]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    yield from start(tmp_path)


def test_events_come_in_and_are_seen_at_every_door(up: Up) -> None:
    answer = up.post(
        event(1), event(2), event(2), {**event(3), "prompt": "a secret canary"}, event(4, model="none")
    )
    assert answer["accepted"] == 4
    assert answer["rejected"][0]["reason"] == "unknown_field"
    row = up.wait_for_calls(3)
    assert (row["calls"], row["input_tokens"], row["unpriced_calls"]) == (3, 3000, 1)
    assert Decimal(row["cost"]) == Decimal("0.015")

    client = clickhouse_connect.get_client(host=up.running.host, port=up.running.clickhouse_port)
    try:
        found = client.query(
            "SELECT count(), sum(cost) FROM tokenweir.usage WHERE team = 'search'"
        ).result_rows
        assert found == [(3, Decimal("0.015"))]
        with pytest.raises(clickhouse_connect.driver.exceptions.DatabaseError):
            client.command("DROP TABLE tokenweir.events")
    finally:
        client.close()

    assert "<html" in up.get("")
    health = json.loads(up.get("health"))
    assert health["healthy"], health
    metrics = up.get("metrics")
    assert "tokenweir_meter_received_events_total" in metrics
    assert "tokenweir_sink_sent_events_total" in metrics
    wait_for(
        "the rejection",
        lambda: weir_json("rejected", "--json", "--data-dir", "ledger", cwd=up.folder),
        log=up.log,
    )
    rejected = weir("rejected", "--json", "--payload", "--data-dir", "ledger", cwd=up.folder).stdout
    assert b"unknown_field" in rejected
    assert b"canary" not in rejected
    unpriced = weir_json("unpriced", "--json", "--data-dir", "ledger", cwd=up.folder)
    assert [(row["vendor"], row["model"], row["calls"]) for row in unpriced] == [("openai", "none", 1)]
    asked = weir(
        "query",
        "SELECT sum(input_tokens) FROM usage",
        "--format",
        "CSV",
        "--data-dir",
        "ledger",
        cwd=up.folder,
    )
    assert asked.stdout.strip() == b"3000"
    weir("doctor", "--data-dir", "ledger", cwd=up.folder)


def test_a_file_goes_through_the_running_pipeline(up: Up) -> None:
    file = up.folder / "events.ndjson"
    file.write_text("".join(json.dumps(event(number)) + "\n" for number in range(1000)))
    summary = weir_json("ingest", file, "--data-dir", "ledger", "--json", cwd=up.folder)
    assert summary["events"] == 1000
    assert up.spend()[0]["calls"] == 1000
    weir("ingest", file, "--data-dir", "ledger", cwd=up.folder)
    assert up.spend()[0]["calls"] == 1000


def test_a_stop_stores_what_was_accepted(up: Up) -> None:
    up.post(*(event(number) for number in range(500)))
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(timeout=120) == 0, up.log.read_text()[-3000:]
    assert up.spend()[0]["calls"] == 500


def test_a_killed_run_leaves_a_ledger_that_opens_again(up: Up) -> None:
    up.post(event(1))
    up.wait_for_calls(1)
    up.process.kill()
    up.process.wait()
    assert up.spend()[0]["calls"] == 1
    for again in start(up.folder):
        again.post(event(2))
        assert again.wait_for_calls(2)["calls"] == 2


def test_a_second_run_on_the_directory_is_refused(up: Up) -> None:
    refused = weir("up", "--data-dir", "ledger", cwd=up.folder, status=1)
    assert b"is in use by process" in refused.stderr
    assert b"--data-dir" in refused.stderr


def test_the_emitter_reaches_the_running_broker(up: Up) -> None:
    from producers.emitter import Emitter
    from tokenweir.usage import UsageEvent

    with Emitter(KafkaSettings(bootstrap_servers=up.running.kafka_bootstrap_servers)) as emitter:
        for number in range(100):
            assert emitter.record(UsageEvent.model_validate_json(json.dumps(event(number))))
    assert up.wait_for_calls(100)["calls"] == 100
