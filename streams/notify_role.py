"""The notifiers' work on Kafka: signals in, messages to people out, and what fails of that told as a signal.

What is told to whom is the store's of notifications to decide, which comes in as a `NotificationOutbox`.

Invariants:
- a message is finished when its signals are on disk for each channel that is to be told, not when they are sent: a
  channel that is down for a day holds no partition up;
- each channel sends in a thread of its own, one message at a time, so that a slow one delays no other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from streams.observe import StreamMetrics
from streams.role import Clock, Message, Role
from tokenweir.errors import RejectedInput
from tokenweir.settings import KafkaSettings, topic_name
from tokenweir.signals import Signal, decode_signals, encode_signal
from tokenweir.signals.wire import CONTENT_TYPE
from tokenweir.topics import SIGNALS
from tokenweir.usage.wire import HEADER_CONTENT_TYPE

log = logging.getLogger("tokenweir.streams.notify")

LOOK_SECONDS: Final = 0.5
"""So often each channel is looked at for what is due."""

_HEADERS: Final = [(HEADER_CONTENT_TYPE, CONTENT_TYPE.encode())]

Result = TypeVar("Result")


class NotificationOutbox(Protocol):
    """What remembers what is to be told, and tells it. All of it may block."""

    @property
    def channels(self) -> Collection[str]:
        """Their names."""
        ...

    def accept(self, signal: Signal, now: datetime) -> None:
        """Let a signal wait for whoever is to be told; on disk when this returns. Once for each id."""
        ...

    def send_due(self, name: str, now: datetime) -> bool:
        """Send what is due on a channel. Whether anything was sent; one that fails is no error."""
        ...

    def to_say(self) -> list[Signal]:
        """Signals about the channels themselves that Kafka does not have yet."""
        ...

    def said(self, signal: Signal) -> None:
        """Kafka has it."""
        ...


class NotifyRole(Role):
    """Hands signals to the outbox, and lets its channels send."""

    def __init__(
        self,
        app: Any,
        metrics: StreamMetrics,
        clock: Clock,
        outbox: NotificationOutbox,
        kafka: KafkaSettings,
    ) -> None:
        super().__init__(app, metrics, clock)
        self._outbox = outbox
        self._topic = topic_name(kafka, SIGNALS.name)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokenweir-notify")
        self._senders = {
            name: ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"tokenweir-notify-{number}")
            for number, name in enumerate(sorted(outbox.channels))
        }
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = asyncio.Event()

    def start(self) -> None:
        """Begin to send what waits."""
        self._run(self._say_on(), "tokenweir-notify-say")
        for name in self._senders:
            self._run(self._send_on(name), "tokenweir-notify-channel")

    def _run(self, work: Any, name: str) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def take(self, message: Message) -> None:
        """Put the signals of a message where they outlive this process."""
        ticket = self.begin(message)
        try:
            signals = decode_signals(message.value or b"")
        except RejectedInput as error:
            self.metrics.errors.labels(stage="decode").inc()
            log.error("%s at %s/%s: %s", message.topic, message.partition, message.offset, error)  # noqa: TRY400
            signals = []
        self.metrics.received_events.inc(len(signals))
        for signal in signals:
            await self._in_thread(self._accept, signal)
        self.finish(ticket)

    def _accept(self, signal: Signal) -> None:
        self._outbox.accept(signal, self.clock())

    async def drain(self, timeout_seconds: float) -> bool:
        """Nothing that was taken is unfinished for long; what waits for a channel is on disk."""
        return await self.wait_until(lambda: self.progress.in_flight == 0, timeout_seconds)

    async def stop(self) -> None:
        """Let each channel end the message that it is sending, so that it is noted, and begin no other."""
        self._is_stopping.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for executor in (self._thread, *self._senders.values()):
            executor.shutdown(wait=True)

    async def _send_on(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        while not await self._pause():
            sent = await loop.run_in_executor(
                self._senders[name], lambda: self._outbox.send_due(name, self.clock())
            )
            self.metrics.sent_events.inc(int(sent))

    async def _say_on(self) -> None:
        while not await self._pause():
            for signal in await self._in_thread(self._outbox.to_say):
                await (
                    await self.send(self._topic, signal.fingerprint.encode(), encode_signal(signal), _HEADERS)
                )
                await self._in_thread(self._outbox.said, signal)

    async def _pause(self) -> bool:
        """A moment's rest. True when there is no more to do."""
        try:
            await asyncio.wait_for(self._is_stopping.wait(), LOOK_SECONDS)
        except TimeoutError:
            return False
        return True

    def _in_thread(self, call: Callable[..., Result], *arguments: Any) -> Awaitable[Result]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)
