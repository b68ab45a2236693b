"""Topics and positions, asked of Kafka and set there: what `weir topics`, `weir doctor` and the drain need.

Every call opens a client of its own, waits a bounded time, closes it, and raises BrokerUnavailable when Kafka
does not answer or refuses. Nothing here deletes a topic, shrinks one, or changes one that exists.

Both Apache Kafka and the embedded broker answer all requests used here. (The embedded one answers neither
DescribeGroups nor ListGroups in a way that kafka-python reads, so positions come from OffsetFetch alone, and its
ListOffsets is not to be trusted; see `_ends`.)
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError, for_code

from tokenweir.errors import BrokerUnavailable
from tokenweir.settings import KafkaSettings, client_security, topic_name
from tokenweir.topics import TOPICS, Topic

log = logging.getLogger("tokenweir.streams.topics")

DEFAULT_TIMEOUT_SECONDS: Final = 15.0

_RETRY_SECONDS: Final = 0.1
_NO_ERROR: Final = 0
_UNKNOWN_TOPIC: Final = 3


@dataclass(frozen=True, slots=True)
class TopicReport:
    """One topic as it is in Kafka, beside what was asked for.

    name: with the prefix. partitions and replication_factor: as they are, 0 where the topic does not exist.
    wanted_partitions: what the settings ask for. config: as Kafka states it for the settings of `Topic.config`.
    differences: sentences about what is not as asked; empty where all is well. created: made by this call.
    """

    name: str
    carries: str
    partitions: int
    wanted_partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    created: bool = False

    @property
    def exists(self) -> bool:
        """Whether Kafka has the topic."""
        return self.partitions > 0


def wanted_partitions(settings: KafkaSettings, topic: Topic) -> int:
    """How many partitions a topic gets where it has to be created."""
    return settings.partitions or topic.partitions


def ensure_topics(
    settings: KafkaSettings,
    topics: Sequence[Topic] = TOPICS,
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> list[TopicReport]:
    """Create the topics that are missing and report on all, in the order given.

    A topic that exists is left as it is; `differences` says where it is not as asked. Two callers at once are
    harmless. Raises BrokerUnavailable, also where Kafka refuses to create one (naming it and Kafka's reason).
    """
    with _admin(settings, timeout_seconds) as admin:
        existing = _metadata(admin, [topic_name(settings, topic.name) for topic in topics])
        missing = [topic for topic in topics if topic_name(settings, topic.name) not in existing]
        created = {name for topic in missing if (name := _create(admin, settings, topic, timeout_seconds))}
        if missing:
            admin.wait_for_topics(
                [topic_name(settings, topic.name) for topic in missing],
                timeout_ms=int(timeout_seconds * 1000),
            )
        return _reports(admin, settings, topics, created)


def describe_topics(
    settings: KafkaSettings,
    topics: Sequence[Topic] = TOPICS,
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> list[TopicReport]:
    """Report on the topics, in the order given, and change nothing. Raises BrokerUnavailable."""
    with _admin(settings, timeout_seconds) as admin:
        return _reports(admin, settings, topics, frozenset())


def topic_lag(
    settings: KafkaSettings,
    group: str,
    topics: Iterable[str],
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> dict[str, int]:
    """How many messages a consumer group has still to finish, by topic.

    group: the full group id. topics: full names. Counts from the group's committed offset, or from the oldest
    message kept where it has committed none or has been overtaken by deletion, to the end. 0 for a topic that
    holds nothing or does not exist. Raises BrokerUnavailable.
    """
    lag = dict.fromkeys(topics, 0)
    with _admin(settings, timeout_seconds) as admin:
        partitions = _partitions(admin, list(lag))
        if not partitions:
            return lag
        # Committed first: what the group commits in between can then only make the lag look larger, never smaller,
        # so that a lag of 0 is a true one.
        committed = _when_ready(lambda: admin.list_group_offsets({group: partitions}), timeout_seconds)[group]
        earliest = dict.fromkeys(partitions, OffsetSpec.EARLIEST)
        first = _when_ready(lambda: admin.list_partition_offsets(earliest), timeout_seconds)
        ends = _ends(settings, partitions, timeout_seconds)
    for partition in partitions:
        position = committed[partition].offset if partition in committed else -1
        lag[partition.topic] += max(ends[partition] - max(position, first[partition].offset), 0)
    return lag


def group_members(
    settings: KafkaSettings, group: str, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
) -> int | None:
    """How many consumers are in a group now; 0 for one that Kafka does not know.

    group: the full group id. None where the broker answers in a way that kafka-python does not read, as the embedded
    one does. Raises BrokerUnavailable.
    """
    with _admin(settings, timeout_seconds) as admin:
        try:
            described = _when_ready(lambda: admin.describe_groups([group]), timeout_seconds)
        except ValueError as error:
            log.info("Who is in the group %s cannot be read of this broker's answer: %s", group, error)
            return None
        return len(described[group]["members"]) if group in described else 0


def end_offsets(
    settings: KafkaSettings,
    topics: Iterable[str],
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> dict[TopicPartition, int]:
    """The offset after the last message, by partition.

    topics: full names; one that does not exist contributes nothing. Raises BrokerUnavailable.
    """
    with _admin(settings, timeout_seconds) as admin:
        return _ends(settings, _partitions(admin, list(topics)), timeout_seconds)


def _partitions(admin: Any, names: Sequence[str]) -> list[TopicPartition]:
    return [
        TopicPartition(name, index)
        for name, found in _metadata(admin, names).items()
        for index in range(len(found["partitions"]))
    ]


def _ends(
    settings: KafkaSettings, partitions: Sequence[TopicPartition], timeout_seconds: float
) -> dict[TopicPartition, int]:
    """The true ends: the high watermarks that come with fetched messages.

    ListOffsets alone will not do. The embedded broker answers LATEST with the offset after the *first* message of
    the last batch, so a topic would look drained that is not. Fetching from there gives the watermark on both
    brokers, and on Apache Kafka, where LATEST is right, carries no messages.
    """
    if not partitions:
        return {}
    deadline = time.monotonic() + timeout_seconds
    timeout_ms = int(timeout_seconds * 1000)
    consumer = KafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers.split(","),
        client_id="tokenweir-admin",
        bootstrap_timeout_ms=timeout_ms,
        request_timeout_ms=timeout_ms,
        fetch_max_wait_ms=10,
        max_partition_fetch_bytes=1,  # a first message comes whole whatever its size, and no second one
        **client_security(settings),
    )
    with closing(consumer):
        consumer.assign(partitions)
        for partition, offset in consumer.end_offsets(partitions).items():
            consumer.seek(partition, offset)
        while True:
            ends = {partition: consumer.highwater(partition) for partition in partitions}
            known = {partition: end for partition, end in ends.items() if end is not None}
            if len(known) == len(partitions):
                return known
            if time.monotonic() > deadline:
                raise KafkaTimeoutError(f"no answer about {len(partitions) - len(known)} partitions")
            # One that has answered needs no more fetching.
            consumer.pause(*known)
            consumer.poll(timeout_ms=50)


@contextmanager
def _admin(settings: KafkaSettings, timeout_seconds: float) -> Iterator[Any]:
    timeout_ms = int(timeout_seconds * 1000)
    try:
        with KafkaAdminClient(
            bootstrap_servers=settings.bootstrap_servers.split(","),
            client_id="tokenweir-admin",
            bootstrap_timeout_ms=timeout_ms,
            request_timeout_ms=timeout_ms,
            **client_security(settings),
        ) as admin:
            yield admin
    except KafkaError as failure:
        raise BrokerUnavailable(
            f"Kafka at {settings.bootstrap_servers} did not do as asked: {_said(failure)}",
            hint="Check that it runs and that kafka.bootstrap_servers, the security settings and the rights of this "
            "user fit it; `weir doctor` shows what it can reach",
        ) from failure


def _when_ready(ask: Callable[[], Any], timeout_seconds: float) -> Any:
    """Ask again while Kafka says that it will answer soon: a group's coordinator is named at the first question."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return ask()
        except KafkaError as failure:
            if not failure.retriable or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)


def _said(failure: KafkaError) -> str:
    name, text = type(failure).__name__, str(failure)
    return text if text.startswith(name) else f"{name}: {text}"


def _metadata(admin: Any, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Kafka's metadata of those of the topics that exist, by name."""
    found: dict[str, dict[str, Any]] = {}
    for topic in admin.describe_topics(list(names)):
        if topic["error_code"] == _NO_ERROR:
            found[topic["name"]] = topic
        elif topic["error_code"] != _UNKNOWN_TOPIC:
            raise for_code(topic["error_code"])(f"topic {topic['name']}")
    return found


def _create(admin: Any, settings: KafkaSettings, topic: Topic, timeout_seconds: float) -> str:
    """Create one topic. Returns its name, empty where another caller was faster."""
    name = topic_name(settings, topic.name)
    wanted = {
        "num_partitions": wanted_partitions(settings, topic),
        "replication_factor": settings.replication_factor,
        "configs": topic.config,
    }
    # One request a topic: what Kafka answers then is about this topic and no other.
    answer = admin.create_topics({name: wanted}, timeout_ms=int(timeout_seconds * 1000), raise_errors=False)
    (result,) = answer["topics"]
    failure = for_code(result["error_code"])
    if failure is TopicAlreadyExistsError:
        return ""
    if result["error_code"] != _NO_ERROR:
        raise BrokerUnavailable(
            f"Kafka at {settings.bootstrap_servers} refused to create the topic {name} with "
            f"{wanted['num_partitions']} partitions and replication factor {wanted['replication_factor']}: "
            f"{failure.__name__}{': ' + result['error_message'] if result.get('error_message') else ''}",
            hint="Set kafka.partitions and kafka.replication_factor to what the cluster allows, "
            "or have its keepers create the topic",
        )
    return name


def _reports(
    admin: Any, settings: KafkaSettings, topics: Sequence[Topic], created: Iterable[str]
) -> list[TopicReport]:
    names = [topic_name(settings, topic.name) for topic in topics]
    found = _metadata(admin, names)
    configs = _configs(admin, list(found))
    return [
        _report(settings, topic, name, found.get(name), configs.get(name, {}), name in set(created))
        for topic, name in zip(topics, names, strict=True)
    ]


def _report(
    settings: KafkaSettings,
    topic: Topic,
    name: str,
    found: dict[str, Any] | None,
    configs: Mapping[str, str],
    created: bool,
) -> TopicReport:
    wanted = wanted_partitions(settings, topic)
    if found is None:
        return TopicReport(name, topic.carries, 0, wanted, 0, differences=("it does not exist",))
    partitions = len(found["partitions"])
    replicas = min((len(partition["replica_nodes"]) for partition in found["partitions"]), default=0)
    config = {key: configs[key] for key in topic.config if key in configs}
    differences = [f"{partitions} partitions, not {wanted}"] if partitions != wanted else []
    differences += [
        f"{key} is {config[key]}, not {value}"
        for key, value in topic.config.items()
        if key in config and config[key] != value
    ]
    return TopicReport(name, topic.carries, partitions, wanted, replicas, config, tuple(differences), created)


def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    answer = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names], config_filter="all"
    )
    return {
        name: {key: str(entry["value"]) for key, entry in entries.items()}
        for name, entries in answer["topic"].items()
    }
