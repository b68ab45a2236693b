"""The Faust app: one factory, a role each for the meter, the sink and the detectors.

All roles may run in one event loop (the embedded run) or in a process each, as many as there are partitions.
`build_app` makes the Faust app and the role's work and ties them together; nothing starts before `start`.

Faust does the group membership, the fetching, the producing and the agents. It keeps no tables here, creates no
topics, installs no signal handlers and no log handlers, and serves no web port. Its own acknowledgements are not
used (`streams.progress` says why): the topics are declared without them, and the role commits.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final, Literal

from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from prometheus_client import CollectorRegistry

from streams.block import BlockSink
from streams.compression import use_fast_lz4
from streams.connection import faust_options
from streams.detect_role import DetectRole
from streams.detection.keeping import Keeper, TopicKeeper
from streams.detection.tenant import MakeDetectors
from streams.meter import Book, Meter
from streams.meter_role import MeterRole
from streams.notify_role import NotificationOutbox, NotifyRole
from streams.observe import StreamMetrics
from streams.progress import Partition
from streams.role import Clock, Role, utc_now
from streams.sink_role import SinkRole
from streams.steady_app import SteadyApp
from tokenweir.errors import BrokerUnavailable, WrongCall
from tokenweir.settings import KafkaSettings, Settings, topic_name
from tokenweir.topics import BILLS, METERED, REJECTED, SIGNALS, USAGE, WINDOWS, Topic

log = logging.getLogger("tokenweir.streams")

RoleName = Literal["meter", "sink", "detect", "notify"]

SOURCES: Final[dict[str, tuple[Topic, ...]]] = {
    "meter": (USAGE,),
    "sink": (METERED, REJECTED, BILLS, SIGNALS),
    "detect": (WINDOWS,),
    "notify": (SIGNALS,),
}
"""What each role reads."""

COMMIT_SECONDS: Final = 0.5
_STALLED_SECONDS: Final = 120.0
_LONGEST_REBALANCE_DRAIN_SECONDS: Final = 5.0
_LONGEST_COMMIT_SECONDS: Final = 10.0


def consumer_group(settings: KafkaSettings, role: str) -> str:
    """The Kafka consumer group of a role in this installation."""
    return f"{settings.topic_prefix}{role}"


class StreamApp:
    """A Faust app with the work of one role. Made by `build_app`; `start` and `stop` once each, in one event loop.

    `app` is the Faust app. `failed` is set when the worker cannot go on; `failure` says why. Whoever runs it stops
    it then and starts another: nothing is lost, what was not committed is read again.
    """

    def __init__(self, app: Any, role_name: RoleName, role: Role, metrics: StreamMetrics) -> None:
        self.app = app
        self.role_name = role_name
        self._role = role
        self._metrics = metrics
        self._started = False
        self._housekeeping: asyncio.Task[None] | None = None
        self._last_progress_at = 0.0

    @property
    def role(self) -> Role:
        """The work itself."""
        return self._role

    @property
    def failed(self) -> asyncio.Event:
        """Set when the worker cannot go on."""
        return self._role.failed

    @property
    def failure(self) -> BaseException | None:
        """Why the worker cannot go on."""
        return self._role.failure

    async def start(self) -> None:
        """Join the group and begin. Returns before partitions are assigned, which takes Kafka some seconds.

        Raises BrokerUnavailable where Kafka cannot be reached; the app is then stopped and of no further use.
        """
        self._started = True
        self._last_progress_at = asyncio.get_running_loop().time()
        self.app.conf.datadir.mkdir(parents=True, exist_ok=True)
        try:
            await self.app.start()
        except KafkaError as error:
            self._started = False
            await self.app.stop()
            await self._role.stop()
            servers = ", ".join(str(url.authority) for url in self.app.conf.broker)
            raise BrokerUnavailable(
                f"Kafka at {servers} cannot be reached: {error}",
                hint="Is it running, and are kafka.bootstrap_servers and its security settings right?",
            ) from error
        self._role.start()
        self._housekeeping = asyncio.create_task(
            self._keep_house(), name=f"tokenweir-{self.role_name}-commits"
        )

    async def stop(self, *, drain_seconds: float = 10.0) -> bool:
        """Take nothing more, finish what is taken, commit, leave the group. True when all that was taken is done.

        What is not done within `drain_seconds` stays uncommitted and will be read again.
        """
        if not self._started:
            return True
        self._started = False
        self._stop_intake()
        drained = await self._role.drain(drain_seconds)
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.gather(self._housekeeping, return_exceptions=True)
        await self._commit()
        await self._role.stop()
        await self.app.stop()
        return drained

    def _stop_intake(self) -> None:
        self.app.consumer.stop_flow()
        self.app.flow_control.suspend()
        self.app.flow_control.clear()

    async def _commit(self) -> None:
        try:
            await asyncio.wait_for(self._role.commit(), _LONGEST_COMMIT_SECONDS)
        except TimeoutError:
            log.warning("Kafka did not take the last commit in time; what it covers will be read again")

    async def on_revoked(self, revoked: Iterable[Any]) -> None:
        """Before a rebalance: finish and commit what can be finished soon, give up the rest."""
        if self._started:
            session = float(self.app.conf.broker_session_timeout)
            await self._role.drain(min(_LONGEST_REBALANCE_DRAIN_SECONDS, session / 4))
            await self._commit()
        self._role.revoked([Partition(tp.topic, tp.partition) for tp in revoked])

    async def on_assigned(self, assigned: Iterable[Any]) -> None:
        """After a rebalance."""
        partitions = list(assigned)
        self._metrics.rebalances.inc()
        self._metrics.assigned_partitions.set(len(partitions))
        log.info("%s has %s partitions", self.app.conf.id, len(partitions))

    async def _keep_house(self) -> None:
        """Commit what is done, and watch."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            had = self._role.progress.positions()
            await self._role.commit()
            self._observe()
            if self._role.progress.in_flight == 0 or self._role.progress.positions() != had:
                self._last_progress_at = loop.time()
            if self.app.crashed and not self.failed.is_set():
                self._role.fail(self.app.crash_reason or RuntimeError("Faust crashed without a reason"))

    def _observe(self) -> None:
        self._metrics.in_flight_messages.set(self._role.progress.in_flight)
        for topic, waiting in self.lag().items():
            self._metrics.lag_messages.labels(topic=topic).set(waiting)

    def lag(self) -> dict[str, int]:
        """Messages not yet finished by topic, in the partitions assigned here, as far as Kafka has told."""
        waiting: dict[str, int] = {}
        positions = self._role.progress.positions()
        for tp in self._assignment():
            highwater = self.app.consumer.highwater(tp)
            position = positions.get(Partition(tp.topic, tp.partition))
            if highwater is not None and position is not None:
                waiting[tp.topic] = waiting.get(tp.topic, 0) + max(0, highwater - position)
        return waiting

    def _assignment(self) -> set[Any]:
        try:
            found: set[Any] = self.app.consumer.assignment()
        except ConsumerNotStarted:
            return set()
        return found

    def health(self) -> dict[str, Any]:
        """For /health: `healthy`, `role`, `assigned_partitions`, `in_flight_messages`, `state`, `failure`.

        state: starting, running, waiting (messages are held because Kafka or the store does not take them),
        failed, stopped. A worker is unhealthy when it failed or has waited for two minutes.
        """
        assigned = len(self._assignment()) if self._started else 0
        in_flight = self._role.progress.in_flight
        idle_seconds = (
            asyncio.get_running_loop().time() - self._last_progress_at if in_flight and self._started else 0.0
        )
        if self.failure is not None:
            state = "failed"
        elif not self._started:
            state = "stopped"
        elif not assigned:
            state = "starting"
        else:
            state = "waiting" if idle_seconds > COMMIT_SECONDS * 10 else "running"
        return {
            "role": self.role_name,
            "healthy": state != "failed" and state != "stopped" and idle_seconds < _STALLED_SECONDS,
            "state": state,
            "assigned_partitions": assigned,
            "in_flight_messages": in_flight,
            "seconds_without_progress": round(idle_seconds, 1),
            "failure": str(self.failure) if self.failure is not None else "",
        }


def build_app(
    settings: Settings,
    role: RoleName,
    *,
    sink: BlockSink | None = None,
    book: Book | None = None,
    detectors: MakeDetectors | None = None,
    keeper: Keeper | None = None,
    outbox: NotificationOutbox | None = None,
    registry: CollectorRegistry | None = None,
    clock: Clock = utc_now,
) -> StreamApp:
    """The Faust app of a role, ready to start. Call it inside the event loop in which it will run.

    sink: for the sink role. book: for the meter role. detectors: for the detect role, makes one tenant's set.
    keeper: where the detect role keeps what it knows; None for the topic `detection`. outbox: for the notify role.
    registry: takes the role's metrics. clock: gives UTC. Raises WrongCall where what the role needs is missing or the
    Kafka settings contradict each other. The topics must exist (`streams.topic_admin.ensure_topics`).
    """
    kafka = settings.kafka
    metrics = StreamMetrics(role, registry if registry is not None else CollectorRegistry())
    use_fast_lz4()
    app = SteadyApp(consumer_group(kafka, role), **faust_options(kafka, settings.worker.state_dir / role))
    work: Role
    if role == "meter":
        if book is None:
            raise WrongCall("the meter role needs a price book")
        work = MeterRole(app, metrics, clock, Meter(book), kafka)
    elif role == "sink":
        if sink is None:
            raise WrongCall("the sink role needs a store to write to")
        work = SinkRole(
            app,
            metrics,
            clock,
            sink,
            kafka,
            flush_events=settings.clickhouse.flush_events,
            flush_seconds=settings.clickhouse.flush_seconds,
        )
    elif role == "detect":
        if detectors is None:
            raise WrongCall("the detect role needs detectors")
        work = DetectRole(
            app,
            metrics,
            clock,
            detectors,
            settings,
            consumer_group(kafka, "meter"),
            keeper or TopicKeeper(kafka),
        )
    elif role == "notify":
        if outbox is None:
            raise WrongCall("the notify role needs channels")
        work = NotifyRole(app, metrics, clock, outbox, kafka)
    else:
        raise WrongCall(f"no such role: {role}", hint="Roles are meter, sink, detect and notify")
    stream_app = StreamApp(app, role, work, metrics)
    _tie(stream_app, work, [topic_name(kafka, topic.name) for topic in SOURCES[role]])
    return stream_app


def _tie(stream_app: StreamApp, role: Role, topics: list[str]) -> None:
    """Let Faust call the role: an agent for its topics, and the signals of a rebalance."""
    app = stream_app.app
    source = app.topic(
        *topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", acks=False
    )

    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                await role.take(event.message)
            except Exception as error:  # noqa: BLE001 - Faust would start the agent anew and pass the message over
                role.fail(error)
            if role.failed.is_set():
                await asyncio.Event().wait()  # until the worker is stopped: nothing more is taken

    app.agent(source, name=f"tokenweir.{stream_app.role_name}")(agent)

    async def on_revoked(_app: Any, revoked: Iterable[Any], **_: Any) -> None:
        await stream_app.on_revoked(revoked)

    async def on_assigned(_app: Any, assigned: Iterable[Any], **_: Any) -> None:
        await stream_app.on_assigned(assigned)

    app.on_partitions_revoked.connect(on_revoked)
    app.on_partitions_assigned.connect(on_assigned)
