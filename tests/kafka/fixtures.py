"""Brokers for tests: Apache Kafka, the embedded one, or each in turn; and what is said where Kafka cannot be had.

| fixture | gives |
| --- | --- |
| `apache_kafka` | the session's Apache Kafka, started at its first use |
| `embedded_broker` | the session's embedded broker |
| `broker` | both, one after the other: what holds for one must hold for the other |
| `new_broker` | a function that starts another one of the same kind as `broker`, to be killed and restarted at will |

A test that uses Apache Kafka is marked `kafka` and put into the xdist group of that name by itself, so that one
worker runs all of them and one Kafka is started. The session's brokers are shared: a test makes topics and groups
with names of its own (`unique_prefix`).

Where Java is missing or Maven cannot reach its repository, these tests run on the embedded broker instead, and
pytest's closing lines say so. A Java that is too old and a missing Maven do the same on a person's machine; with
CI=true they are failures. Anything else that goes wrong is a failure everywhere. Nothing is ever skipped.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import pytest

from tests.kafka.apache import ApacheKafka
from tests.kafka.provision import (
    JavaMissing,
    KafkaNotToBeHad,
    MavenUnreachable,
    find_java,
    resolve_jars,
)
from tokenweir.local.broker import EmbeddedBroker, free_port
from tokenweir.settings import KafkaSettings

APACHE: Final = "apache"
EMBEDDED: Final = "embedded"
_PROPERTY: Final = "kafka_fallback"


class Server(Protocol):
    """What both brokers can do. `start` after `stop` or `kill` keeps the address."""

    @property
    def bootstrap_servers(self) -> str: ...
    @property
    def pid(self) -> int | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def exit_status(self) -> int | None: ...


@dataclass(frozen=True)
class Broker:
    """A running broker. kind: what it really is. durable: its data survives a restart."""

    kind: str
    server: Server

    @property
    def durable(self) -> bool:
        return self.kind == APACHE

    @property
    def bootstrap_servers(self) -> str:
        return self.server.bootstrap_servers

    def settings(self, prefix: str) -> KafkaSettings:
        """Settings that reach it, with this topic prefix."""
        return KafkaSettings(
            bootstrap_servers=self.bootstrap_servers,
            topic_prefix=prefix,
            session_timeout_seconds=6,
            rebalance_timeout_seconds=3,
        )


_absence = pytest.StashKey[str]()


def _why_not(config: pytest.Config) -> str:
    """Why Apache Kafka cannot be had here; empty where it can. Found out once a session.

    Raises BrokerUnavailable where that is a failure.
    """
    if _absence not in config.stash:
        try:
            find_java()
            resolve_jars()
            config.stash[_absence] = ""
        except KafkaNotToBeHad as reason:
            if os.environ.get("CI", "").lower() in {"true", "1"} and not _excused(reason):
                raise
            config.stash[_absence] = reason.message
    return config.stash[_absence]


def _excused(reason: KafkaNotToBeHad) -> bool:
    return isinstance(reason, MavenUnreachable) or (isinstance(reason, JavaMissing) and reason.found is None)


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The session's embedded broker."""
    log = tmp_path_factory.mktemp("embedded-broker") / "broker.log"
    with EmbeddedBroker(port=free_port(), log=log) as server:
        yield Broker(EMBEDDED, server)


@pytest.fixture(scope="session")
def apache_kafka(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """The session's Apache Kafka; where it cannot be had, the embedded broker."""
    if _why_not(request.config):
        yield request.getfixturevalue("embedded_broker")
        return
    with ApacheKafka(is_brief=True) as server:
        yield Broker(APACHE, server)


@pytest.fixture(params=[APACHE, EMBEDDED])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Apache Kafka, then the embedded broker."""
    found: Broker = request.getfixturevalue("apache_kafka" if request.param == APACHE else "embedded_broker")
    return found


@pytest.fixture
def new_broker(broker: Broker, tmp_path: Path) -> Iterator[Callable[[], Broker]]:
    """Starts brokers of the test's own, of the same kind as `broker`; all are ended after the test."""
    started: list[Server] = []

    def start() -> Broker:
        number = len(started)
        server: Server
        if broker.kind == APACHE:
            server = ApacheKafka(directory=tmp_path / f"kafka-{number}", is_brief=True)
        else:
            server = EmbeddedBroker(port=free_port(), log=tmp_path / f"broker-{number}.log")
        started.append(server)
        server.start()
        return Broker(broker.kind, server)

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def unique_prefix() -> str:
    """A topic prefix (and consumer group) that no other test uses."""
    return f"t{uuid.uuid4().hex[:12]}."


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what uses Apache Kafka, and keep it on one worker. (Later would be too late for xdist's grouping.)"""
    if _uses_apache(item):
        item.add_marker(pytest.mark.kafka)
        item.add_marker(pytest.mark.xdist_group("kafka"))


def _uses_apache(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return (
        "apache_kafka" in item.fixturenames
        or parameters.get("broker") == APACHE
        or item.get_closest_marker("kafka") is not None
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note on the report of a test that it ran on the embedded broker instead; reports reach xdist's controller."""
    if call.when == "call" and _uses_apache(item) and (reason := item.config.stash.get(_absence, "")):
        item.user_properties.append((_PROPERTY, reason))
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say last, after every other summary, that Apache Kafka was not used."""
    result = yield
    reasons: dict[str, set[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, reason in getattr(report, "user_properties", ()):
                if name == _PROPERTY:
                    reasons.setdefault(reason, set()).add(report.nodeid)
    if reasons:
        terminalreporter.write_sep("=", "not run on Apache Kafka", yellow=True)
    for reason, tests in reasons.items():
        count = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
        terminalreporter.write_line(
            f"{count} meant for Apache Kafka ran on the embedded broker instead: {reason}", yellow=True
        )
    return result
