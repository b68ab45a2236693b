"""The detectors' work on Kafka: windows in, signals out, what is known kept by a Keeper (on the topic `detection`).

What decides is `streams.detection.partition`: what comes out depends on the messages of a partition and their order
alone. So a worker that takes up a partition takes the states that a former one kept, reads what came since (the same
messages give the same signals, with the same ids) and sends what was not sent yet: it reads in the signals topic what
was. docs/decisions/0014-state-of-the-detectors.md says why this is done here and not in Faust's tables.

Invariants:
- a message is finished only when all signals that follow from it, and all states that are due with it, are kept;
- a signal is sent once, whatever was killed: by whoever has the partition, and not again by who takes it up;
- before anything is sent or kept, Kafka is asked whether the partition is still ours; what a worker that is put out at
  that very moment sends all the same bears the ids of what its successor sends, and what it keeps is not read;
- a tick is written only when the meter has finished all that was reported until a moment before.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from faust.exceptions import ConsumerNotStarted

from streams.detection.checkpoint import Record, begin_record, forgotten_record, read_kept, records_of
from streams.detection.control import TICK_HEADERS
from streams.detection.keeping import Keeper
from streams.detection.minutes import NEVER_MS
from streams.detection.partition import LogMessage, Outcome, PartitionDetection
from streams.detection.tenant import MakeDetectors
from streams.observe import StreamMetrics
from streams.progress import Partition, Ticket
from streams.read_back import GroupWatch, read_partition
from streams.role import Clock, Message, Role, header_pairs, reported_at_ms
from streams.topic_admin import end_offsets
from tokenweir.settings import Settings, topic_name
from tokenweir.signals import Signal, encode_signal
from tokenweir.signals.wire import CONTENT_TYPE
from tokenweir.topics import SIGNALS, USAGE, WINDOWS
from tokenweir.usage.wire import HEADER_CONTENT_TYPE

log = logging.getLogger("tokenweir.streams.detect")

TICK_SECONDS: Final = 2.0
"""So often a tick is written to each partition that has tenants."""

_LOST_TICK_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.5
_CLOCKS_APART_MS: Final = 60_000
_SIGNAL_HEADERS: Final = [(HEADER_CONTENT_TYPE, CONTENT_TYPE.encode())]

Result = TypeVar("Result")


class _Lane:
    """One partition in one assignment. fence: ours in it. sent: ids of signals that a former worker sent."""

    def __init__(
        self, generation: int, fence: int, detection: PartitionDetection, sent: frozenset[str]
    ) -> None:
        self.generation = generation
        self.fence = fence
        self.detection = detection
        self.sent = sent
        self.saved_begin = -1


class _Sent(msgspec.Struct):
    """What has to be known of a signal that was sent."""

    id: str


class _Tick(NamedTuple):
    """A tick that was written: when by the event loop's time, and by ours."""

    sent_at: float
    clock_ms: int


class DetectRole(Role):
    """Feeds the detectors of each tenant and sends what they say. make: gives one tenant's set of detectors."""

    def __init__(
        self,
        app: Any,
        metrics: StreamMetrics,
        clock: Clock,
        make: MakeDetectors,
        settings: Settings,
        meter_group: str,
        keeper: Keeper,
    ) -> None:
        super().__init__(app, metrics, clock)
        self._make = make
        self._settings = settings
        kafka = settings.kafka
        self._windows = topic_name(kafka, WINDOWS.name)
        self._signals = topic_name(kafka, SIGNALS.name)
        self._keeper = keeper
        self._meter = GroupWatch(kafka, meter_group, topic_name(kafka, USAGE.name))
        self._lanes: dict[Partition, _Lane] = {}
        self._ticks: dict[Partition, _Tick] = {}
        self._taking = 0
        self._failures = 0
        self._deadline_ms = NEVER_MS
        # Asked, not set: where nothing comes any more, it has to rise all the same.
        metrics.behind_seconds.set_function(self._behind_seconds)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokenweir-detect")
        self._watch_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokenweir-detect-watch")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write ticks."""
        self._task = asyncio.create_task(self._tick_on(), name="tokenweir-detect-ticks")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def take(self, message: Message) -> None:
        """Feed a message and send what follows from it."""
        ticket = self.begin(message)
        self._taking += 1
        try:
            lane = await self._lane(message, ticket)
            if lane is None:
                return
            read = LogMessage(
                message.offset, reported_at_ms(message), header_pairs(message.headers), message.value or b""
            )
            if lane.detection.closes_by(max(lane.detection.clock_ms, read.time_ms)):
                outcome = await self._in_thread(lambda: lane.detection.take(read))
            else:
                outcome = lane.detection.take(read)
            self._count(outcome)
            if self.progress.is_current(ticket) and await self._pass_on(lane, ticket, outcome):
                self.finish(ticket)
        finally:
            self._taking -= 1
            self.changed.set()

    async def _lane(self, message: Message, ticket: Ticket) -> _Lane | None:
        """The state of the message's partition, taken up where it is new here; None once that is not ours any more."""
        place = ticket.partition
        held = self._lanes.get(place)
        if held is not None and held.generation == message.generation_id:
            return held
        lane, missed = await self._in_thread(lambda: self._take_up(message))
        for outcome in missed:
            # Where to begin follows from all that was missed, and so is kept when all of that is.
            if not await self._pass_on(lane, ticket, outcome, keeps_begin=False):
                return None
        if not await self.has_still(ticket):
            return None
        await self._save_begin(lane, message.partition)
        self._lanes[place] = lane
        return lane

    def _take_up(self, message: Message) -> tuple[_Lane, list[Outcome]]:
        """What a former worker left of a partition, and what follows from the messages before this one. Blocking."""
        kafka = self._settings.kafka
        number = message.partition
        kept = read_kept(self._keeper.read(number))
        ends = end_offsets(kafka, [self._windows])
        end = max(end for place, end in ends.items() if place.partition == number)
        if kept.begin is not None and (kept.highest_offset > end or not self._keeper.is_of_this_log(number)):
            log.warning("%s/%s was made anew: its states go on with what it holds now", self._windows, number)
            kept = kept.moved_to(message.offset)
        fence = max(message.generation_id, kept.fence + 1)
        detection = PartitionDetection(self._make, self._settings.detection, kept, fence=fence)
        if kept.begin is None:
            detection.begin_at(message.offset)
            return _Lane(message.generation_id, fence, detection, frozenset()), []
        since_ms = kept.begin.clock_ms - _CLOCKS_APART_MS
        lane = _Lane(message.generation_id, fence, detection, frozenset(self._ids_since(since_ms)))
        if kept.is_of_another_log:
            # Marks of both logs beside each other would say nothing to who takes it up next.
            return lane, [Outcome([], detection.checkpoints(), [], [])]
        missed = [
            detection.take(LogMessage(one.offset, one.time_ms, one.headers, one.value or b""))
            for one in read_partition(
                kafka, self._windows, number, start=kept.begin.offset, end=message.offset
            )
        ]
        log.info(
            "%s/%s goes on at offset %s, read again from %s",
            self._windows,
            number,
            message.offset,
            kept.begin.offset,
        )
        return lane, missed

    def _ids_since(self, since_ms: int) -> Iterable[str]:
        """The ids of the signals that were sent since then, whoever sent them."""
        kafka = self._settings.kafka
        for place in end_offsets(kafka, [self._signals]):
            for record in read_partition(kafka, self._signals, place.partition, since_ms=since_ms):
                for line in (record.value or b"").split(b"\n"):
                    with suppress(msgspec.MsgspecError):  # whoever reads signals says what is none
                        yield msgspec.json.decode(line, type=_Sent).id

    async def _pass_on(
        self, lane: _Lane, ticket: Ticket, outcome: Outcome, *, keeps_begin: bool = True
    ) -> bool:
        """Send the signals, then keep the states that are due; returns when Kafka has all of it.

        False where the partition is not ours any more, and nothing was sent.
        """
        if not (outcome.signals or outcome.checkpoints or outcome.forgotten):
            return True
        if not await self.has_still(ticket):
            return False
        partition = ticket.partition.number
        sends = [
            await self.send(
                self._signals, signal.fingerprint.encode(), encode_signal(signal), _SIGNAL_HEADERS
            )
            for signal in outcome.signals
            if signal.id not in lane.sent
        ]
        await asyncio.gather(*sends)
        self.metrics.sent_events.inc(len(sends))
        _log_signals(outcome.signals)
        records = [record for one in outcome.checkpoints for record in records_of(one)]
        records += [forgotten_record(tenant) for tenant in outcome.forgotten]
        if records:
            await self._keep(partition, records)
            if keeps_begin:
                await self._save_begin(lane, partition)
        return True

    async def _save_begin(self, lane: _Lane, partition: int) -> None:
        begin = lane.detection.begin
        if begin.offset != lane.saved_begin:
            await self._keep(partition, [begin_record(begin, lane.fence)])
            lane.saved_begin = begin.offset

    async def _keep(self, partition: int, records: Sequence[Record]) -> None:
        await self._keeper.keep(partition, records, self._send_to)

    async def _send_to(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int
    ) -> Awaitable[Any]:
        return await self.send(topic, key, value, [], partition=partition)

    def _count(self, outcome: Outcome) -> None:
        for reason in outcome.refused:
            self.metrics.discarded_events.labels(reason=reason).inc()
        failures = sum(one.detection.failures for one in self._lanes.values())
        if failures > self._failures:
            self.metrics.errors.labels(stage="detector").inc(failures - self._failures)
        self._failures = failures
        self.metrics.open_incidents.set(sum(one.detection.open_incidents() for one in self._lanes.values()))

        self._deadline_ms = min(
            (lane.detection.deadline_ms() for lane in self._lanes.values()), default=NEVER_MS
        )

    def _behind_seconds(self) -> float:
        return max(0.0, self.clock().timestamp() - self._deadline_ms / 1000)

    async def wait_until_through(
        self, read_to: Mapping[tuple[str, int], int], timeout_seconds: float, stall_seconds: float = math.inf
    ) -> bool:
        """Wait until every minute that is over is closed, of all messages before these offsets by topic and partition.

        For a topic that one worker has alone. True when it is so, False when the time was not enough, or when all was
        read and what was taken in the `stall_seconds` since has moved nothing: then the last minutes are held for more
        that may come. These seconds are told by the ticks that were taken, so a busy machine gets the time it needs.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_seconds
        seen, moved_ms = self._progress(), self._clock_ms()
        while not self._is_through(read_to):
            now = loop.time()
            progress = self._progress()
            if progress != seen or not self._has_read(read_to):
                seen, moved_ms = progress, self._clock_ms()
            # Only where there are tenants do ticks go on.
            watching = [lane.detection for lane in self._lanes.values() if lane.detection.is_watching()]
            taken_ms = min((one.clock_ms for one in watching), default=self._clock_ms())
            if now >= ends_at or taken_ms >= moved_ms + stall_seconds * 1000 or self.failed.is_set():
                return False
            await self.wait_until(lambda: self._is_through(read_to), min(_LOOK_SECONDS, ends_at - now))
        return True

    def _clock_ms(self) -> int:
        # Never ahead of the time that Kafka's client, which rounds down, writes on a tick right after.
        return int(self.clock().timestamp() * 1000)

    def _progress(self) -> list[int]:
        """What moves while minutes are closed."""
        return [lane.detection.deadline_ms() for lane in self._lanes.values()]

    def _has_read(self, read_to: Mapping[tuple[str, int], int]) -> bool:
        lanes = {(place.topic, place.number): lane.detection for place, lane in self._lanes.items()}
        return all(
            end == 0 or (place in lanes and lanes[place].next_offset >= end) for place, end in read_to.items()
        )

    def _is_through(self, read_to: Mapping[tuple[str, int], int]) -> bool:
        wall_ms = self._clock_ms()
        return self._has_read(read_to) and not any(
            lane.detection.is_behind(wall_ms) for lane in self._lanes.values()
        )

    def revoked(self, partitions: Iterable[Partition]) -> None:
        """Forget what is known of them: whoever has them now takes up what was kept."""
        gone = list(partitions)
        super().revoked(gone)
        for place in gone:
            self._lanes.pop(place, None)
            self._ticks.pop(place, None)
        self._deadline_ms = NEVER_MS

    async def drain(self, timeout_seconds: float) -> bool:
        """Wait until what was taken is done."""
        return await self.wait_until(lambda: self._taking == 0, timeout_seconds)

    async def stop(self) -> None:
        """End the ticks."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=True)
        self._watch_thread.shutdown(wait=True)
        self._meter.close()

    async def _tick_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_SECONDS / 2)
            asked_at = loop.time()
            due = [place for place in self._assigned() if self._wants_tick(place, asked_at)]
            if not due or not await loop.run_in_executor(self._watch_thread, self._meter.is_up_to_date):
                continue
            for place in due:
                if loop.time() - asked_at > _LOST_TICK_SECONDS:
                    break  # the worker, or Kafka, was held up: what was so then need not be so now
                self._ticks[place] = _Tick(loop.time(), self._clock_ms())
                await (await self.send(place.topic, None, b"", TICK_HEADERS, partition=place.number))

    def _wants_tick(self, place: Partition, now: float) -> bool:
        """Whether it is time for a tick, and none is under way. The first one has the partition taken up."""
        lane = self._lanes.get(place)
        tick = self._ticks.get(place)
        if lane is None:
            return tick is None or now - tick.sent_at > _LOST_TICK_SECONDS
        if not lane.detection.is_watching():
            return False
        if tick is None or lane.detection.clock_ms >= tick.clock_ms:
            return tick is None or now - tick.sent_at >= TICK_SECONDS
        return now - tick.sent_at > _LOST_TICK_SECONDS

    def _assigned(self) -> list[Partition]:
        try:
            return sorted(Partition(tp.topic, tp.partition) for tp in self.app.consumer.assignment())
        except ConsumerNotStarted:
            return []

    def _in_thread(self, call: Callable[[], Result]) -> Awaitable[Result]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call)


def _log_signals(signals: Iterable[Signal]) -> None:
    for signal in signals:
        log.info("%s %s: %s", signal.state, signal.fingerprint, signal.title)
