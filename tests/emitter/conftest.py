"""What tests of the way to Kafka share."""

import gc
import threading
from collections.abc import Iterator

import pytest

from tests.emitter.topic_contents import make_topics
from tests.kafka.fixtures import Broker
from tokenweir.settings import KafkaSettings


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Threads of the test end with it, and what they leave to the garbage collector is collected with it.

    kafka-python leaves the sockets of refused attempts to the collector; they must not fail a later test.
    """
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("tokenweir-"):
            thread.join(60)
            assert not thread.is_alive(), f"{thread.name} outlived its test"
    gc.collect()


@pytest.fixture
def settings(broker: Broker, unique_prefix: str) -> KafkaSettings:
    """A running broker with the topics made."""
    found = broker.settings(unique_prefix)
    make_topics(found)
    return found
