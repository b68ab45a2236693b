"""The sink's work on Kafka: metered events, bills, signals and rejections in, blocks to a store out.

Messages gather until there are `flush_events` or the oldest has waited `flush_seconds`; then one thread writes them as
a block while the next block gathers. Two blocks is all that is held: while the store is away nothing more is taken
from Kafka, offsets stay where they are, and the same block is offered again until the store takes it.

Invariants:
- a message is finished only when the store has kept its lines, or its bad lines are on the rejected topic;
- the store is called from one thread, one call at a time;
- a rejection that the store refuses too is counted and left to the rejected topic, which keeps it: it is not sent
  there again, or it would come back for ever.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from streams.block import BlockSink
from streams.blocks import Gathered, Refused, Write, write_block
from streams.meter import Position, rejection_of_piece
from streams.meter_role import encode_rejections
from streams.observe import StreamMetrics
from streams.progress import Partition
from streams.role import Clock, Message, Role, reported_at_ms
from tokenweir.errors import RejectedInput, StoreUnavailable
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import BILLS, REJECTED, SIGNALS
from tokenweir.usage.wire import CONTENT_TYPE, HEADER_CONTENT_TYPE

log = logging.getLogger("tokenweir.streams.sink")

MAX_BLOCK_BYTES: Final = 96 * 1024 * 1024
KEEP_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 10.0
_UNEXPECTED_ATTEMPTS: Final = 5

Result = TypeVar("Result")


class _GivenUp(Exception):
    """A block is not to be written any more: its partitions went elsewhere, or the worker stops."""


class SinkRole(Role):
    """Gathers lines into blocks and has them written."""

    def __init__(
        self,
        app: Any,
        metrics: StreamMetrics,
        clock: Clock,
        sink: BlockSink,
        settings: KafkaSettings,
        *,
        flush_events: int,
        flush_seconds: float,
    ) -> None:
        super().__init__(app, metrics, clock)
        self._sink = sink
        self._rejected_topic = topic_name(settings, REJECTED.name)
        self._beside: dict[str, Write] = {
            topic_name(settings, BILLS.name): sink.write_bills,
            topic_name(settings, SIGNALS.name): sink.write_signals,
        }
        self._flush_events = flush_events
        self._flush_seconds = flush_seconds
        self._gathered: list[Gathered] = []
        self._gathered_events = 0
        self._gathered_bytes = 0
        self._oldest_at = 0.0
        self._writing = False
        self._hurried = False
        self._stopping = False
        self._wake = asyncio.Event()
        self._space = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokenweir-sink")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write_on(), name="tokenweir-sink")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)
        self._space.set()

    async def take(self, message: Message) -> None:
        """Gather a message; waits while the block is full and the one before it is being written."""
        ticket = self.begin(message)
        lines = (message.value or b"").strip(b"\r\n")
        if not lines:
            self.finish(ticket)
            return
        position = Position(
            message.topic, message.partition, message.offset, message.key, reported_at_ms(message)
        )
        count = lines.count(b"\n") + 1
        self.metrics.received_events.inc(count)
        if not self._gathered:
            self._oldest_at = asyncio.get_running_loop().time()
        self._gathered.append(Gathered(ticket, position, lines, count))
        self._gathered_events += count
        self._gathered_bytes += len(lines)
        self._wake.set()
        while self._is_full() and not self.failed.is_set():
            self._space.clear()
            await self._space.wait()

    def revoked(self, partitions: Iterable[Partition]) -> None:
        """Drop what waits: whoever has the partitions now reads it again."""
        super().revoked(partitions)
        self._replace([one for one in self._gathered if self.progress.is_current(one.ticket)])

    def _is_full(self) -> bool:
        return self._gathered_events >= self._flush_events or self._gathered_bytes >= MAX_BLOCK_BYTES

    def _replace(self, gathered: list[Gathered]) -> list[Gathered]:
        taken, self._gathered = self._gathered, gathered
        self._gathered_events = sum(one.line_count for one in gathered)
        self._gathered_bytes = sum(len(one.lines) for one in gathered)
        self._oldest_at = asyncio.get_running_loop().time()
        self._space.set()
        return taken

    async def drain(self, timeout_seconds: float) -> bool:
        """Write at once what is gathered. While the store is away it stays as it is: uncommitted."""
        self._hurried = True
        self._wake.set()
        try:
            return await self.wait_until(lambda: not self._gathered and not self._writing, timeout_seconds)
        finally:
            self._hurried = False

    async def stop(self) -> None:
        """Wait for the call to the store that is under way, and give up the rest."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)  # its failure is kept in `failure`
        self._thread.shutdown(wait=True)

    async def _write_on(self) -> None:
        loop = asyncio.get_running_loop()
        keep_at = loop.time() + KEEP_SECONDS
        while not self._stopping:
            due_at = min(keep_at, self._oldest_at + self._flush_seconds) if self._gathered else keep_at
            if not self._is_due(loop.time()):
                self._wake.clear()
                await _wait(self._wake, due_at - loop.time())
            if self._is_due(loop.time()):
                await self._flush()
            if loop.time() >= keep_at and not self._stopping:
                await self._keep()
                keep_at = loop.time() + KEEP_SECONDS

    def _is_due(self, now: float) -> bool:
        if not self._gathered:
            return False
        return self._hurried or self._is_full() or now >= self._oldest_at + self._flush_seconds

    async def _flush(self) -> None:
        """Write what is gathered, as long as it takes."""
        self._writing = True
        block = [one for one in self._replace([]) if self.progress.is_current(one.ticket)]
        try:
            rejections = [one for one in block if one.position.topic == self._rejected_topic]
            by_write: dict[Write, list[Gathered]] = {}
            for one in block:
                if one.position.topic != self._rejected_topic:
                    write = self._beside.get(one.position.topic, self._sink.write_events)
                    by_write.setdefault(write, []).append(one)
            for write, lines in by_write.items():
                refused = await self._offer(write, lines)
                await self._send_refused(refused)
                self._finish_all(lines)
                self.metrics.sent_events.inc(sum(one.line_count for one in lines) - len(refused))
            if rejections:
                for left in await self._offer(self._sink.write_rejections, rejections):
                    log.error(
                        "The store refuses a rejection, which stays on %s: %s", left.position.name, left.error
                    )
                    self.metrics.discarded_events.labels(reason="rejection_refused").inc()
                self._finish_all(rejections)
        except _GivenUp:
            log.info("A block of %s messages is given up; they will be read again", len(block))
        finally:
            self._writing = False
            self.changed.set()

    def _finish_all(self, messages: list[Gathered]) -> None:
        for one in messages:
            self.finish(one.ticket)

    async def _offer(self, write: Write, messages: list[Gathered]) -> list[Refused]:
        """Offer a block until the store takes it. Raises _GivenUp when nobody wants it any more."""
        pause = 0.0
        unexpected = 0
        while True:
            if self._stopping or not any(self.progress.is_current(one.ticket) for one in messages):
                raise _GivenUp
            try:
                with self.metrics.flush_seconds.time():
                    return await self._in_thread(lambda: write_block(write, messages))
            except StoreUnavailable as error:
                self.metrics.errors.labels(stage="store").inc()
                pause = min(_LONGEST_PAUSE_SECONDS, max(error.retry_after_seconds, pause * 2))
                log.warning(
                    "The store does not take a block, which is offered again in %.1f s: %s", pause, error
                )
            except Exception:
                # A mistake of ours or of the store's client: tried again in case it passes, then the worker stops
                # with the offsets uncommitted.
                self.metrics.errors.labels(stage="store_unexpected").inc()
                unexpected += 1
                log.exception("Writing a block failed, attempt %s of %s", unexpected, _UNEXPECTED_ATTEMPTS)
                if unexpected == _UNEXPECTED_ATTEMPTS:
                    raise
                pause = min(_LONGEST_PAUSE_SECONDS, max(1.0, pause * 2))
            await self._pause(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    async def _pause(self, seconds: float) -> None:
        """Sleep, but wake for the end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self._stopping and (left := until - loop.time()) > 0:
            self._wake.clear()
            await _wait(self._wake, left)

    async def _in_thread(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _send_refused(self, refused: list[Refused]) -> None:
        if not refused:
            return
        now = self.clock()
        rejections = [
            rejection_of_piece(
                one.line,
                RejectedInput("store_refused", one.error.message, field=one.error.field, hint=one.error.hint),
                one.position,
                now,
                stage="sink",
                line=one.number,
            )
            for one in refused
        ]
        headers = [(HEADER_CONTENT_TYPE, CONTENT_TYPE.encode())]
        sends = [
            await self.send(self._rejected_topic, None, encode_rejections([rejection]), headers)
            for rejection in rejections
        ]
        await asyncio.gather(*sends)
        self.metrics.discarded_events.labels(reason="store_refused").inc(len(refused))

    async def _keep(self) -> None:
        try:
            await self._in_thread(lambda: self._sink.keep(self.clock()))
        except StoreUnavailable as error:
            self.metrics.errors.labels(stage="keep").inc()
            log.warning("The store's housekeeping has to wait: %s", error)
        except Exception:  # what the store's client raises is not ours to foresee, and events go first
            self.metrics.errors.labels(stage="keep").inc()
            log.exception("The store's housekeeping failed; it is tried again in %s s", KEEP_SECONDS)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), max(0.0, seconds))
    except TimeoutError:
        return
