"""Topics made and read back in tests of what sends to Kafka."""

import dataclasses
import json
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka import KafkaConsumer

from streams.topic_admin import end_offsets, ensure_topics
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import REJECTED, USAGE, Topic
from tokenweir.usage import UsageEvent

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Read:
    """One message as a consumer sees it."""

    partition: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.value.split(b"\n")]


def make_topics(settings: KafkaSettings) -> None:
    ensure_topics(settings, topics=[dataclasses.replace(topic, partitions=3) for topic in (USAGE, REJECTED)])


def read_topic(settings: KafkaSettings, topic: Topic = USAGE) -> list[Read]:
    """Everything in the topic now, in order within its partitions."""
    ends = {
        place: end for place, end in end_offsets(settings, [topic_name(settings, topic.name)]).items() if end
    }
    found: list[Read] = []
    with closing(KafkaConsumer(bootstrap_servers=settings.bootstrap_servers)) as consumer:
        consumer.assign(list(ends))
        if ends:
            consumer.seek_to_beginning(*ends)
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                found.extend(
                    Read(record.partition, record.key, tuple(record.headers), record.value)
                    for record in records
                )
    return found


def read_ids(settings: KafkaSettings) -> list[str]:
    return [line["id"] for message in read_topic(settings) for line in message.lines]


def event(number: int, **fields: Any) -> UsageEvent:
    values: dict[str, Any] = {
        "id": f"openai:call-{number}",
        "source": "test",
        "time": START + timedelta(seconds=number),
        "vendor": "openai",
        "model": "gpt-4o",
        "input_tokens": 100 + number,
        "output_tokens": 10,
    }
    return UsageEvent(**(values | fields))
