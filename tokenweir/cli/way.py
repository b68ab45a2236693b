"""How a command that brings something reaches the ledger: a running pipeline, the cluster, or a pipeline of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import click

from producers.delivery import Delivery
from sinks.clickhouse.client import LedgerClient
from streams.topic_admin import describe_topics
from tokenweir.cli.options import Place, open_ledger
from tokenweir.errors import BrokerUnavailable, StoreUnavailable
from tokenweir.local.data_dir import DataDir
from tokenweir.local.drain import Undrained, wait_until_stored
from tokenweir.local.pipeline import LocalPipeline
from tokenweir.local.thread import running
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import Topic

PATIENCE_SECONDS: Final = 120.0
_STORE_SECONDS: Final = 3600.0
_STALL_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Way:
    """The way to the ledger.

    check: raises what keeps it from ever being reached. wait: until all sent is stored. client: the ledger, where it is
    this process that has it open.
    """

    delivery: Delivery
    check: Callable[[], None]
    wait: Callable[[], Undrained]
    client: LedgerClient | None = None

    def wait_until_stored(self) -> None:
        """Waits until all sent is stored. Raises StoreUnavailable where that does not come about."""
        undrained = self.wait()
        if undrained.total:
            raise StoreUnavailable(
                f"{undrained.total} messages are not stored, and none has been for {_STALL_SECONDS:.0f} s",
                hint="They stay in Kafka and will be stored when what holds them up is mended; `weir doctor` "
                "says what that is",
            )


@contextmanager
def way_to_ledger(place: Place, topics: Sequence[Topic]) -> Iterator[Way]:
    """A running pipeline's Kafka, the cluster's, or a pipeline of our own. Raises where it is not there.

    topics: those that will be sent to.
    """
    found = None if place.data_dir is None else place.data_dir.running()
    if place.data_dir is not None and found is None:
        with _own_pipeline(place.data_dir, place) as way:
            yield way
        return
    kafka = place.settings.kafka
    if found is not None:
        kafka = kafka.model_copy(update={"bootstrap_servers": found.kafka_bootstrap_servers})
    check_topics(kafka, topics)
    delivery = Delivery(kafka)
    try:
        yield Way(
            delivery,
            check=lambda: None,
            wait=lambda: wait_until_stored(
                kafka, timeout_seconds=_STORE_SECONDS, stall_seconds=_STALL_SECONDS
            ),
        )
    finally:
        # What is still unconfirmed here has been waited for, or is left behind with an error.
        delivery.close(0.0)


@contextmanager
def _own_pipeline(data_dir: DataDir, place: Place) -> Iterator[Way]:
    with running(LocalPipeline(data_dir, place.settings, doors=None)) as thread:
        pipeline = thread.pipeline
        try:
            yield Way(
                pipeline.delivery,
                check=pipeline.check,
                wait=lambda: thread.call(pipeline.wait_until_stored(_STORE_SECONDS)),
                client=pipeline.client,
            )
        except KeyboardInterrupt:
            pipeline.hurry()
            click.echo("interrupted; do the same again: what was stored is not counted twice", err=True)
            raise


@contextmanager
def ledger_beside(way: Way, place: Place) -> Iterator[LedgerClient]:
    """The ledger for reading, while the way to it is open."""
    if way.client is not None:
        yield way.client
        return
    with open_ledger(place) as client:
        yield client


def check_topics(kafka: KafkaSettings, topics: Sequence[Topic]) -> None:
    """Raises BrokerUnavailable where Kafka does not answer or lacks a topic, before anything is read."""
    needed = {topic_name(kafka, topic.name) for topic in topics}
    missing = [
        report.name for report in describe_topics(kafka) if report.name in needed and not report.exists
    ]
    if missing:
        raise BrokerUnavailable(
            f"Kafka at {kafka.bootstrap_servers} has no topic {' and no topic '.join(missing)}",
            hint="Create it with `weir topics create`, or mend kafka.topic_prefix",
        )
