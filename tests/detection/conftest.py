"""Kafka for detect workers, and somebody who sends them minutes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.topic_admin import ensure_topics
from tests.detection.workers import Sender, settings_of
from tests.kafka.fixtures import Broker
from tokenweir.settings import Settings


@pytest.fixture
def settings(broker: Broker, unique_prefix: str, tmp_path: Path) -> Settings:
    kafka = broker.settings(unique_prefix).model_copy(update={"partitions": 2})
    ensure_topics(kafka)
    return settings_of(kafka, tmp_path)


@pytest.fixture
def sender(settings: Settings) -> Iterator[Sender]:
    one = Sender(settings.kafka)
    yield one
    one.close()
