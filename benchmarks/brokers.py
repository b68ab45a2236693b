"""The brokers to measure on, one after the other: the embedded one, then Apache Kafka where it can be had."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.kafka.apache import ApacheKafka
from tests.kafka.provision import KafkaNotToBeHad
from tokenweir.local.broker import EmbeddedBroker

EMBEDDED: Final = "embedded"
APACHE: Final = "apache"
BROKERS: Final = (EMBEDDED, APACHE)


class RunningBroker(NamedTuple):
    """A broker that answers, or the reason why there is none. name: as it stands in a measurement's name."""

    name: str
    bootstrap_servers: str
    absence: str = ""


def running_brokers(names: tuple[str, ...] = BROKERS) -> Iterator[RunningBroker]:
    """Each broker, running until the next one is asked for. Raises BrokerUnavailable where one fails to start."""
    for name in names:
        if name == EMBEDDED:
            with EmbeddedBroker() as embedded:
                yield RunningBroker(name, embedded.bootstrap_servers)
            continue
        try:
            apache = ApacheKafka(heap_mib=1024)
            apache.start()
        except KafkaNotToBeHad as reason:
            yield RunningBroker(name, "", f"not measured on Apache Kafka: {reason.message}")
            continue
        try:
            yield RunningBroker(name, apache.bootstrap_servers)
        finally:
            apache.close()
