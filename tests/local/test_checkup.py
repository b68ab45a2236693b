"""What `weir doctor` says of workers: how much waits, and whether anybody takes it."""

from contextlib import closing
from pathlib import Path

from kafka import KafkaProducer
from pydantic import SecretStr

from streams.topic_admin import ensure_topics
from tests.kafka.fixtures import Broker
from tokenweir.local.checkup import Finding, check_up
from tokenweir.settings import ClickHouseSettings, Settings, topic_name
from tokenweir.topics import USAGE


def test_a_role_without_a_worker_is_told(broker: Broker, unique_prefix: str, tmp_path: Path) -> None:
    """By Apache Kafka; the embedded broker does not say who is there, and so nobody is missed."""
    kafka = broker.settings(unique_prefix)
    ensure_topics(kafka)
    with closing(KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)) as producer:
        for _ in range(3):
            producer.send(topic_name(kafka, USAGE.name), b"{}").get(timeout=30)
    ledger = ClickHouseSettings(dsn=SecretStr(f"chdb://{tmp_path / 'ledger'}"))
    found = {one.subject: one for one in check_up(Settings(kafka=kafka, clickhouse=ledger), None)}
    nobody = "3 messages wait and nobody takes them; start `weir worker --role meter`"
    waiting = "3 messages wait; if that does not fall, start another `weir worker --role meter`"
    if broker.durable:
        assert found["meter lag"] == Finding("meter lag", "wrong", nobody)
        assert found["detect lag"].state == "note"
        assert "--role detect" in found["detect lag"].text
    else:
        assert found["meter lag"] == Finding("meter lag", "note", waiting)
        assert found["detect lag"].state == "ok"
