"""The meter's work on Kafka: usage messages in; metered events, minute windows and rejections out.

Messages are stepped one after the other and their sends are pipelined: up to MAX_IN_FLIGHT messages wait for
Kafka's acknowledgement. A message is finished when every send that follows from it is acknowledged by all replicas
in sync, so a worker killed at any moment loses nothing; what it had sent without committing is sent again by its
successor, and replaced by identity in the ledger.

Order: one producer sends in the order of the steps, under the input's key, so a workload stays in order.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, Final

from streams.meter import Meter, MeterOutput, split_lines
from streams.observe import StreamMetrics
from streams.progress import Ticket
from streams.role import Clock, Message, Role, header_pairs, reported_at_ms
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.topics import METERED, REJECTED, WINDOWS
from tokenweir.usage import Rejection
from tokenweir.usage.wire import CONTENT_TYPE, HEADER_CONTENT_TYPE, HEADERS, MAX_MESSAGE_BYTES

log = logging.getLogger("tokenweir.streams.meter")

MAX_IN_FLIGHT: Final = 64
_STEP_ATTEMPTS: Final = 3
_STEP_PAUSE_SECONDS: Final = 1.0
_PLAIN_HEADERS: Final = [(HEADER_CONTENT_TYPE, CONTENT_TYPE.encode())]


def encode_rejections(rejections: list[Rejection]) -> bytes:
    """NDJSON of rejections."""
    return b"\n".join(rejection.model_dump_json().encode() for rejection in rejections)


class MeterRole(Role):
    """Steps messages and sends what follows from them."""

    def __init__(
        self, app: Any, metrics: StreamMetrics, clock: Clock, meter: Meter, settings: KafkaSettings
    ) -> None:
        super().__init__(app, metrics, clock)
        self._meter = meter
        self._metered = topic_name(settings, METERED.name)
        self._windows = topic_name(settings, WINDOWS.name)
        self._rejected = topic_name(settings, REJECTED.name)
        self._room = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._settling: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Nothing runs beside the messages themselves."""

    async def take(self, message: Message) -> None:
        """Step a message and send what follows; waits while MAX_IN_FLIGHT are unacknowledged."""
        await self._room.acquire()
        ticket = self.begin(message)
        try:
            output = await self._step(message)
            sends = await self._send_all(message, output)
        except BaseException:
            self._room.release()
            raise
        task = asyncio.create_task(self._settle(ticket, output, sends))
        self._settling.add(task)
        task.add_done_callback(self._settled)

    async def _step(self, message: Message) -> MeterOutput:
        for attempt in range(1, _STEP_ATTEMPTS + 1):
            try:
                return self._meter.step(
                    message.value,
                    headers=header_pairs(message.headers),
                    topic=message.topic,
                    partition=message.partition,
                    offset=message.offset,
                    reported_at_ms=reported_at_ms(message),
                    now=self.clock(),
                    key=message.key,
                )
            except Exception:
                # Whatever is wrong in here, the message is neither dropped nor passed over: after some attempts
                # the worker stops with the offset uncommitted.
                self.metrics.errors.labels(stage="step").inc()
                log.exception(
                    "The meter failed on %s/%s at offset %s, attempt %s of %s",
                    message.topic,
                    message.partition,
                    message.offset,
                    attempt,
                    _STEP_ATTEMPTS,
                )
                if attempt == _STEP_ATTEMPTS:
                    raise
                await asyncio.sleep(_STEP_PAUSE_SECONDS * attempt)
        raise AssertionError("unreachable")

    async def _send_all(self, message: Message, output: MeterOutput) -> list[Awaitable[Any]]:
        sends: list[Awaitable[Any]] = []
        for piece in split_lines(output.metered, MAX_MESSAGE_BYTES):
            sends.append(await self.send(self._metered, message.key, piece, list(HEADERS)))
        for tenant, lines in (*output.windows, *output.refused_windows):
            for piece in split_lines(lines, MAX_MESSAGE_BYTES):
                sends.append(await self.send(self._windows, tenant, piece, _PLAIN_HEADERS))
        for piece in split_lines(encode_rejections(output.rejections), MAX_MESSAGE_BYTES):
            sends.append(await self.send(self._rejected, None, piece, _PLAIN_HEADERS))
        return sends

    async def _settle(self, ticket: Ticket, output: MeterOutput, sends: list[Awaitable[Any]]) -> None:
        await asyncio.gather(*sends)
        self.metrics.received_events.inc(output.event_count + output.refused_lines)
        self.metrics.sent_events.inc(output.event_count)
        self.metrics.unpriced_events.inc(output.unpriced_count)
        for rejection in output.rejections:
            self.metrics.discarded_events.labels(reason=rejection.reason).inc()
        self.finish(ticket)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._settling.discard(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.metrics.errors.labels(stage="send").inc()
            self.fail(error)

    async def drain(self, timeout_seconds: float) -> bool:
        """Wait until every send is acknowledged."""
        return await self.wait_until(lambda: not self._settling, timeout_seconds)

    async def stop(self) -> None:
        """Give up what Kafka has not acknowledged."""
        for task in list(self._settling):
            task.cancel()
        await asyncio.gather(*self._settling, return_exceptions=True)
