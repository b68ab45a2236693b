"""A store for tests: a BlockSink that keeps everything in memory."""

import json
import threading
from typing import Any

from tokenweir.errors import RejectedInput, StoreUnavailable
from tokenweir.signals import Signal
from tokenweir.usage import Rejection


class MemoryStore:
    """A BlockSink that keeps events by identity, as the ledger does, and can be away or picky."""

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], dict[str, Any]] = {}
        self.rejections: dict[str, Rejection] = {}
        self.bill_lines: list[bytes] = []
        self.signals: dict[str, Signal] = {}
        self.away = False
        self.refuses = b"\x00"
        self.offered = 0
        self.longest_block = 0
        self.keeps = 0
        self._lock = threading.Lock()

    def write_events(self, lines: bytes, token: str) -> None:
        """Keep events, or refuse the block."""
        self._admit(lines, token)
        for line in lines.split(b"\n"):
            event = json.loads(line)
            key = (event.get("tenant", "default"), event["id"])
            if key not in self.events or self.events[key]["version"] <= event["version"]:
                self.events[key] = event

    def write_rejections(self, lines: bytes, token: str) -> None:
        """Keep rejections."""
        self._admit(lines, token)
        for line in lines.split(b"\n"):
            rejection = Rejection.model_validate_json(line)
            self.rejections[rejection.id] = rejection

    def write_bills(self, lines: bytes, token: str) -> None:
        """Keep bill lines."""
        self._admit(lines, token)
        self.bill_lines.extend(lines.split(b"\n"))

    def write_signals(self, lines: bytes, token: str) -> None:
        """Keep signals by id."""
        self._admit(lines, token)
        for line in lines.split(b"\n"):
            signal = Signal.model_validate_json(line)
            self.signals[signal.id] = signal

    def keep(self, _now: Any) -> None:
        """Count the call."""
        self.keeps += 1

    def _admit(self, lines: bytes, token: str) -> None:
        assert token
        assert not self._lock.locked(), "the store is called by two threads at once"
        with self._lock:
            self.offered += 1
            self.longest_block = max(self.longest_block, lines.count(b"\n") + 1)
            if self.away:
                raise StoreUnavailable("the store is away", retry_after_seconds=0.1)
            if self.refuses in lines:
                raise RejectedInput("wrong_type", "the store does not take this", field="model")
