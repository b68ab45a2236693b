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


def test_a_role_without_a_worker_is_told(apache_kafka: Broker, unique_prefix: str, tmp_path: Path) -> None:
    """By Apache Kafka; with the embedded broker all roles are in one process."""
    if not apache_kafka.durable:
        return
    kafka = apache_kafka.settings(unique_prefix)
    ensure_topics(kafka)
    with closing(KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)) as producer:
        for _ in range(3):
            producer.send(topic_name(kafka, USAGE.name), b"{}").get(timeout=30)
    nowhere = ClickHouseSettings(dsn=SecretStr(f"chdb://{tmp_path / 'ledger'}"))
    found = {one.subject: one for one in check_up(Settings(kafka=kafka, clickhouse=nowhere), None)}
    assert found["meter lag"] == Finding(
        "meter lag", "wrong", "3 messages wait and nobody takes them; start `weir worker --role meter`"
    )
    assert found["detect lag"].state == "note"
    assert "--role detect" in found["detect lag"].text
