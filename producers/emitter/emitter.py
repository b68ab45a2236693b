"""The emitter: an application's way to report usage without ever noticing it.

`record` and `call` put what the application has at hand into a queue and return; a thread reads it, encodes and
batches it, and brings it to Kafka, or to disk while Kafka is away. Invariants:
- nothing raises into the caller and nothing blocks it, whatever is handed in, wherever Kafka is;
- memory is bounded by events and by bytes, the disk by bytes. What exceeds memory, and the disk where there is one, is
  dropped, counted by reason, told to `on_drop`, and said in the log at a bounded rate;
- what was recorded is delivered at least once while the process lives, across any outage that fits the bounds; with a
  spool also when the process is killed, apart from what was recorded less than `linger_seconds` and
  `spool_after_seconds` (together 0.1 seconds, as it comes) and one turn of the thread before.

Limits: without a spool what waits is in memory and is lost with the process; at a normal exit `close` is given
`exit_timeout_seconds`. A forked child starts with an emitter of its own, empty; what waited stays the parent's. An
emitter that nobody refers to any more closes itself in the background.
"""

import os
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

from producers.delivery.connection import Producer, open_producer
from producers.emitter import lifetime
from producers.emitter.attribution import CURRENT, attribution_from, tidy
from producers.emitter.call import Call
from producers.emitter.drops import OnDrop
from producers.emitter.options import Options
from producers.emitter.reports import (
    AnswerReport,
    CallFields,
    CallReport,
    ChunksReport,
    EventReport,
    Reporter,
)
from producers.emitter.statistics import EmitterStatistics
from producers.emitter.worker import Worker
from tokenweir.errors import WrongCall
from tokenweir.settings import KafkaSettings, Settings
from tokenweir.usage import UsageEvent

if TYPE_CHECKING:
    from producers.emitter.spool.spool import Keep

DEFAULT_PENDING_EVENTS: Final = 100_000
DEFAULT_PENDING_BYTES: Final = 64 * 1024 * 1024
DEFAULT_SPOOL_BYTES: Final = 1024 * 1024 * 1024


class Emitter:
    """Reports usage to Kafka from inside an application. Safe to share among threads and tasks.

    max_pending_events: what may wait in memory; may be exceeded by one event a calling thread. max_pending_bytes: the
    same by size as encoded, estimated for what is not encoded yet. At most 10,000 answers wait to be read.
    on_drop: called as `on_drop(reason, events)` in the emitter's thread; what it raises is logged.
    linger_seconds: how long an event may wait for others of its workload.
    source: who reports, for what is not recorded as an event that says so itself.
    attribution: for all calls of the process that say nothing else; the names that `attributed` takes.
    record_failures: whether calls that failed and were not billed have events, with no tokens.
    spool_dir: a directory on a local disk for what Kafka has not confirmed; processes may share it. Without one
    everything waits in memory. spool_max_bytes: the most that one emitter keeps there. spool_keep: which events stay
    when that is not enough. spool_after_seconds: how long Kafka is given before an event is written to disk; 0 writes
    it before it is sent.
    Makes no connection, no file and no thread before the first `record` or `start`. Raises WrongCall for another
    `spool_keep`; nothing else here raises.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        max_pending_events: int = DEFAULT_PENDING_EVENTS,
        max_pending_bytes: int = DEFAULT_PENDING_BYTES,
        on_drop: OnDrop | None = None,
        linger_seconds: float = 0.1,
        exit_timeout_seconds: float = 5.0,
        source: str = "emitter",
        attribution: Mapping[str, object] | None = None,
        record_failures: bool = False,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max_bytes: int = DEFAULT_SPOOL_BYTES,
        spool_keep: "Keep" = "oldest",
        spool_after_seconds: float = 0.0,
        connect: Callable[[KafkaSettings], Producer] = open_producer,
    ) -> None:
        if spool_keep not in ("oldest", "newest"):
            raise WrongCall("spool_keep is neither 'oldest' nor 'newest'")
        self._settings = settings
        self._options = Options(
            max_pending_events=max_pending_events,
            max_pending_bytes=max_pending_bytes,
            on_drop=on_drop,
            linger_seconds=linger_seconds,
            exit_timeout_seconds=exit_timeout_seconds,
            reporter=Reporter(source, tidy(attribution or {})),
            spool_dir=None if spool_dir is None else Path(spool_dir).absolute(),
            spool_max_bytes=spool_max_bytes,
            spool_keep=spool_keep,
            spool_after_seconds=spool_after_seconds,
            connect=connect,
        )
        self._record_failures = record_failures
        self._start_anew()
        lifetime.watch(self)

    @classmethod
    def from_environment(cls, *, on_drop: OnDrop | None = None) -> Self:
        """An emitter as `tokenweir.toml` and the environment have it: the groups `kafka` and `emitter`.

        `TOKENWEIR_TEAM`, `TOKENWEIR_SERVICE` and so on attribute all calls of the process. Raises WrongCall and
        pydantic's ValidationError for settings that cannot be.
        """
        found = Settings()
        options = found.emitter
        return cls(
            found.kafka,
            max_pending_events=options.max_pending_events,
            max_pending_bytes=options.max_pending_bytes,
            on_drop=on_drop,
            linger_seconds=options.linger_seconds,
            exit_timeout_seconds=options.exit_timeout_seconds,
            source=options.source,
            attribution=attribution_from(),
            record_failures=options.record_failures,
            spool_dir=options.spool_dir,
            spool_max_bytes=options.spool_max_bytes,
            spool_keep=options.spool_keep,
            spool_after_seconds=options.spool_after_seconds,
        )

    def record(
        self,
        event_or_answer: object,
        *,
        vendor: str = "",
        surface: str | None = None,
        **fields: Unpack[CallFields],
    ) -> bool:
        """Report one event, or one answer of `vendor`; whether it was taken. Never raises, never blocks.

        An event is taken as UsageEvent itself; what a subclass adds would be refused further down. An answer is the
        JSON object that the vendor sent, its text, or what the vendor's client made of it; it is read later, so it
        should not be changed. surface: of `producers.vendors`; found out where it is None. fields: of the event that
        an answer becomes; they hold whatever the answer says.
        """
        try:
            attribution = CURRENT.get()
            if type(event_or_answer) is UsageEvent:
                if not attribution:
                    return self._worker.accept(event_or_answer)
                return self._worker.accept(EventReport(event_or_answer, attribution))
            if not vendor or event_or_answer is None:
                return self._worker.drop("wrong_type")
            report = AnswerReport(event_or_answer, vendor, surface, fields, attribution, time.time())
            return self._worker.accept(report)
        except Exception:  # noqa: BLE001 - the boundary to the application, which must never feel us
            return False

    def call(
        self,
        *,
        vendor: str,
        model: str = "",
        surface: str | None = None,
        record_failures: bool | None = None,
        **fields: Unpack[CallFields],
    ) -> Call:
        """A call to `vendor` that is about to be made, to be measured and reported: `with emitter.call(…) as call`.

        model: the one that is asked for. surface: of `producers.vendors`; found out where it is None.
        record_failures: whether a call that failed and was not billed has an event, too; the emitter's own setting
        where it is None. fields: of the event; they hold whatever the answer says.
        """
        return Call(
            self,
            vendor=vendor,
            model=model,
            surface=surface,
            record_failures=self._record_failures if record_failures is None else record_failures,
            fields=dict(fields),
        )

    def start(self) -> None:
        """Begin now, before there is anything to report, with what is in the spool directory. Never raises."""
        try:
            self._worker.start()
        except Exception as error:  # noqa: BLE001 - the boundary to the application
            self._worker.say("thread", f"start failed: {type(error).__name__}: {error}")

    def flush(self, timeout_seconds: float) -> bool:
        """Send what was recorded before this call; whether all of it was settled in time. Never raises."""
        try:
            return self._worker.flush(timeout_seconds)
        except Exception as error:  # noqa: BLE001 - the boundary to the application
            self._worker.say("flush", f"flush failed: {type(error).__name__}: {error}")
            return False

    def close(self, timeout_seconds: float = 5.0) -> bool:
        """Take no more, send what waits, and stop; whether nothing had to be given up. Never raises.

        What is still unconfirmed after `timeout_seconds` stays in the spool, or is dropped ("closed") where there
        is none. May be called again.
        """
        try:
            return self._worker.close(timeout_seconds)
        except Exception as error:  # noqa: BLE001 - the boundary to the application
            self._worker.say("close", f"close failed: {type(error).__name__}: {error}")
            return False

    @property
    def statistics(self) -> EmitterStatistics:
        """The counts at this moment; `recorded` is exact to the few events that change hands meanwhile."""
        return self._worker.statistics

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # What a call reports to.

    def take_call(self, report: CallReport) -> bool:
        """Take a call that has ended."""
        return self._worker.accept(report)

    def take_chunks(self, report: ChunksReport) -> None:
        """Take chunks of a stream that goes on. They are no events and do not count as such."""
        self._worker.accept_aside(report)

    def note_unanswered(self) -> None:
        """Count a call that ended and was told no answer."""
        self._worker.drop("unanswered")

    # Its life in a process.

    def start_anew_after_fork(self) -> None:
        """In a child process: begin empty. What the parent has is left alone."""
        parents, was_closed = self._worker, self._worker.closed
        self._parents: Any = (
            parents  # kept, so that nothing of the parent's connection is torn down in the child
        )
        self._stopper.detach()
        parents.forget_after_fork()
        self._start_anew()
        self._worker.closed = was_closed

    def _start_anew(self) -> None:
        self._worker = Worker(self._settings, self._options)
        self._stopper = weakref.finalize(self, self._worker.stop, self._options.exit_timeout_seconds)
        self._stopper.atexit = False
