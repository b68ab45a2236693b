"""What an emitter was made with, for those that work for it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from producers.delivery.connection import Producer
from producers.emitter.drops import OnDrop
from producers.emitter.reports import Reporter
from tokenweir.settings import KafkaSettings

if TYPE_CHECKING:  # it needs `fcntl`, which Windows has not, and an emitter without a spool does not need
    from producers.emitter.spool.spool import Keep, Spool


MAX_UNREAD_ANSWERS: Final = 10_000
"""Answers that may wait to be read, which the thread does at once: each holds all that the vendor sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The arguments of `Emitter`, which says what they mean."""

    max_pending_events: int
    max_pending_bytes: int
    on_drop: OnDrop | None
    linger_seconds: float
    exit_timeout_seconds: float
    reporter: Reporter
    spool_dir: Path | None
    spool_max_bytes: int
    spool_keep: "Keep"
    spool_after_seconds: float
    connect: Callable[[KafkaSettings], Producer]

    def spool(self, topic: str) -> "Spool | None":
        """A spool for messages of `topic`; None where none is asked for."""
        if self.spool_dir is None:
            return None
        from producers.emitter.spool.spool import Spool

        return Spool(self.spool_dir, topic, max_bytes=self.spool_max_bytes, keep=self.spool_keep)
