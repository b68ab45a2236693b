"""Both workers on Kafka: events a second and core of a real meter and a real sink, on both brokers.

For each broker: usage messages are produced beforehand, a meter process works them off, then a sink process works
off what the meter sent and keeps it in an embedded ledger. Each is a process of its own whose CPU seconds are counted
inside, so that neither the broker nor the one who produced is in the figure. Beside each stands the plain way
(`benchmarks.plain_process`), in the same run, on the same broker and events of the same making.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kafka import KafkaProducer
from pydantic import SecretStr

from benchmarks.brokers import BROKERS, RunningBroker, running_brokers
from benchmarks.measure import PER_CORE, Measurement, best_rate, mean_rate
from benchmarks.role_process import Result, Spec
from benchmarks.workload import BATCH_EVENTS, UsageMessage, usage_message
from producers.delivery.connection import producer_options
from streams.app import RoleName
from streams.meter import Meter
from streams.topic_admin import ensure_topics
from tokenweir.errors import BrokerUnavailable
from tokenweir.local.child_process import ChildProcess
from tokenweir.pricing import PriceBook
from tokenweir.settings import ClickHouseSettings, KafkaSettings, Settings, WorkerSettings, topic_name
from tokenweir.topics import METERED, USAGE
from tokenweir.usage.wire import HEADERS

BARS: Final[dict[RoleName, float]] = {"meter": 100_000, "sink": 80_000}
PLAIN: Final[dict[RoleName, str]] = {
    "meter": "aiokafka, one event a message, pydantic and genai-prices for each",
    "sink": "aiokafka, one event a message, pydantic for each, inserts of 500 rows, not deduplicated",
}
PARTS: Final[dict[RoleName, int]] = {"meter": 8, "sink": 2}
"""A half of the sink's work has its share of the engine's merges in it."""

PARTITIONS: Final = 4
_SESSION_SECONDS: Final = 6.0


class RoleFailed(BrokerUnavailable):
    """A measured process did not finish its work."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: messages of `batch_events`, of which the first `warm_messages` are not counted.

    block_events: what the sink writes at once; its default is the settings'.
    """

    messages: int = 1_000
    warm_messages: int = 100
    batch_events: int = BATCH_EVENTS
    block_events: int = 100_000
    plain_meter_events: int = 12_000
    plain_sink_events: int = 12_000
    plain_warm_events: int = 500

    @property
    def events(self) -> int:
        """All events that go through."""
        return self.messages * self.batch_events

    @property
    def warm_events(self) -> int:
        """Those before the count begins."""
        return self.warm_messages * self.batch_events


def run(sizes: Sizes | None = None, brokers: tuple[str, ...] = BROKERS) -> list[Measurement]:
    """Meter and sink on each broker. Raises RoleFailed where a process does not finish, or loses events."""
    sizes = sizes or Sizes()
    messages = [
        usage_message(number, datetime.now(UTC), sizes.batch_events) for number in range(sizes.messages)
    ]
    found: list[Measurement] = []
    for broker in running_brokers(brokers):
        found += measure_on(broker, sizes, messages)
    return found


def measure_on(broker: RunningBroker, sizes: Sizes, messages: list[UsageMessage]) -> list[Measurement]:
    """Meter and sink on one broker; where there is none, two rows that say so."""
    if broker.absence:
        return [
            Measurement(f"{role}_role_{broker.name}", None, PER_CORE, bar=bar, note=broker.absence)
            for role, bar in BARS.items()
        ]
    with tempfile.TemporaryDirectory(prefix="tokenweir-bench-") as directory:
        place = Path(directory)
        real = _settings(broker, "real.", place, sizes)
        _produce(real, USAGE.name, messages)
        # A prefix each: what the plain meter sends is not what the plain sink reads.
        plain = {role: _settings(broker, f"plain-{role}.", place, sizes) for role in BARS}
        _produce(plain["meter"], USAGE.name, _singly(messages, sizes.plain_meter_events))
        _produce(plain["sink"], METERED.name, _singly(_metered(messages), sizes.plain_sink_events))
        plain_counts: dict[RoleName, int] = {
            "meter": sizes.plain_meter_events,
            "sink": sizes.plain_sink_events,
        }
        return [
            _measurement(
                broker,
                role,
                _process("role", role, real, place, sizes.warm_events, sizes.events),
                _process("plain", role, plain[role], place, sizes.plain_warm_events, plain_events),
            )
            for role, plain_events in plain_counts.items()
        ]


def _settings(broker: RunningBroker, prefix: str, place: Path, sizes: Sizes) -> Settings:
    settings = Settings(
        kafka=KafkaSettings(
            bootstrap_servers=broker.bootstrap_servers,
            topic_prefix=prefix,
            partitions=PARTITIONS,
            session_timeout_seconds=_SESSION_SECONDS,
            rebalance_timeout_seconds=_SESSION_SECONDS,
        ),
        clickhouse=ClickHouseSettings(
            dsn=SecretStr(f"chdb://{place / prefix}ledger"), flush_events=sizes.block_events
        ),
        worker=WorkerSettings(state_dir=place / f"{prefix}state"),
    )
    ensure_topics(settings.kafka)
    return settings


def _produce(settings: Settings, topic: str, messages: Iterable[UsageMessage]) -> None:
    headers = list(HEADERS)
    with closing(KafkaProducer(**producer_options(settings.kafka))) as producer:
        for message in messages:
            producer.send(
                topic_name(settings.kafka, topic), key=message.key, value=message.value, headers=headers
            )
        producer.flush()


def _singly(messages: Iterable[UsageMessage], events: int) -> Iterator[UsageMessage]:
    for message in messages:
        for line in message.value.split(b"\n"):
            if events == 0:
                return
            events -= 1
            yield UsageMessage(message.key, line, 1)


def _metered(messages: Iterable[UsageMessage]) -> Iterator[UsageMessage]:
    meter = Meter(PriceBook.default())
    now = datetime.now(UTC)
    for offset, message in enumerate(messages):
        output = meter.step(
            message.value,
            headers=HEADERS,
            topic="usage",
            partition=0,
            offset=offset,
            reported_at_ms=int(now.timestamp() * 1000),
            now=now,
            key=message.key,
        )
        yield message._replace(value=output.metered)


def _process(kind: str, role: RoleName, settings: Settings, place: Path, warm: int, total: int) -> Result:
    """Run the measured process to its end. Raises RoleFailed."""
    spec = Spec(role=role, settings=settings, warm_events=warm, total_events=total, parts=PARTS[role])
    name = f"{kind}-{role}"
    log, result = place / f"{name}.log", place / f"{name}.json"
    # Secrets would be masked: there are none, but the ledger's address is kept as one.
    described = spec.model_dump(mode="json")
    described["settings"]["clickhouse"]["dsn"] = settings.clickhouse.dsn.get_secret_value()
    child = ChildProcess(
        [sys.executable, "-m", f"benchmarks.{kind}_process", json.dumps(described), str(result)], log=log
    )
    child.start()
    status = child.wait(spec.patience_seconds + 60)
    if status is None:
        child.kill()
    if status != 0 or not result.exists():
        raise RoleFailed(
            f"the process {name} ended with status {status}", hint=f"It said: {log.read_text()[-2_000:]}"
        )
    found = Result.model_validate_json(result.read_text(encoding="utf-8"))
    if not found.parts:
        raise RoleFailed(
            f"{name} was done with {total} events before it could be measured", hint="Give it more"
        )
    if found.stored_calls is not None and found.stored_calls != total:
        raise RoleFailed(f"{name} was given {total} events and the ledger holds {found.stored_calls}")
    return found


def _measurement(broker: RunningBroker, role: RoleName, ours: Result, plain: Result) -> Measurement:
    return Measurement(
        name=f"{role}_role_{broker.name}",
        value=best_rate(ours.parts),
        mean=mean_rate(ours.parts),
        unit=PER_CORE,
        baseline=best_rate(plain.parts),
        baseline_is=PLAIN[role],
        bar=BARS[role],
        cpu_seconds=ours.cpu_seconds,
        wall_seconds=ours.wall_seconds,
        peak_mib=ours.peak_mib,
        note=f"{ours.events:,} events from Kafka in a process of its own; "
        f"{ours.events / ours.wall_seconds:,.0f} events/s by the clock, "
        f"the plain way {plain.events / plain.wall_seconds:,.0f}",
    )
