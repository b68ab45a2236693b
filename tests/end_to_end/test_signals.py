"""`weir signals` on a running pipeline: what the detectors say is stored, and what a person asks reaches them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer

from tests.end_to_end.commands import wait_for, weir, weir_json
from tests.end_to_end.running import Up, start
from tests.signals.test_signals import a_signal
from tokenweir.signals import encode_signal, signal_id
from tokenweir.signals.request import HEADER_REQUEST

pytestmark = [pytest.mark.xdist_group("end_to_end"), pytest.mark.timeout(600)]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    yield from start(tmp_path)


def _send(up: Up, *signals: Any) -> None:
    producer = KafkaProducer(bootstrap_servers=up.running.kafka_bootstrap_servers, acks="all")
    for signal in signals:
        producer.send("tokenweir.signals", key=signal.fingerprint.encode(), value=encode_signal(signal)).get(
            30
        )
    producer.close()


def _asked(up: Up) -> list[dict[str, Any]]:
    """What people have asked so far."""
    consumer = KafkaConsumer(
        "tokenweir.windows",
        bootstrap_servers=up.running.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=3000,
    )
    found = [
        json.loads(value) for message in consumer for name, value in message.headers if name == HEADER_REQUEST
    ]
    consumer.close()
    return found


def test_a_signal_is_seen_acknowledged_and_muted(up: Up, tmp_path: Path) -> None:
    place = ("--data-dir", up.folder / "ledger")
    nothing = weir("signals", *place, cwd=tmp_path)
    assert nothing.stdout.strip() == b"nothing was signalled"
    opened = a_signal()
    _send(up, opened, opened)
    (row,) = wait_for(
        "the signal is stored", lambda: weir_json("signals", "--open", "--json", *place, cwd=tmp_path)
    )
    assert (row["incident"], row["signals"], row["evidence"]) == (opened.incident, 1, {"ratio": 166.0})
    assert row["impact_usd_per_day"] == "990.000000000001"
    assert weir_json("signals", "--kind", "budget", "--json", *place, cwd=tmp_path) == []
    shown = weir("signals", *place, cwd=tmp_path).stdout.decode()
    assert "A loop." in shown

    name = opened.fingerprint
    said = weir("signals", *place, "ack", name, "--by", "ana", "--reason", "a test", cwd=tmp_path)
    assert said.stdout.startswith(b"acknowledged by ana")
    muted = weir_json("signals", *place, "mute", name, "--until", "4h", "--by", "ana", "--json", cwd=tmp_path)
    assert muted["until"] > row["observed_at"]
    acknowledged, mute = _asked(up)
    assert (acknowledged["action"], acknowledged["tenant"], acknowledged["reason"]) == (
        "acknowledge",
        "acme",
        "a test",
    )
    assert (mute["action"], mute["fingerprint"]) == ("mute", name)

    unknown = weir("signals", *place, "ack", "cost_spike:none", cwd=tmp_path, status=2)
    assert b"nothing was ever signalled" in unknown.stderr
    _send(up, a_signal(id=signal_id(opened.incident, 1), state="resolved"))
    wait_for("it is over", lambda: not weir_json("signals", "--open", "--json", *place, cwd=tmp_path))
    over = weir("signals", *place, "ack", name, cwd=tmp_path, status=2)
    assert b"is over since" in over.stderr
    findings = {one["subject"]: one for one in weir_json("doctor", "--json", *place, cwd=tmp_path)}
    assert findings["signals"]["state"] == "ok"
    assert "detect lag" in findings
    assert "notify lag" not in findings
