"""A log that is written and rotated, and a collector that follows it and may be killed at any moment, in one process.

The sink keeps what was handed to it, as Kafka may have it; `crash` makes it break off before a given event or at the
confirmation, after which the follower begins anew from its store, as a new process would.
"""

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from producers.files import ColumnMap, ReadOptions
from producers.files.lines import zstd
from producers.following import CheckpointStore, Follower, FollowOptions, Round
from tokenweir.usage import Rejection, UsageEvent

MAP = ColumnMap.parse(("time=time", "input_tokens=in"), ("vendor=openai", "model=gpt-4o"))
PACKING: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd.compress}
LATER = timedelta(seconds=120)


class Crash(Exception):
    """The process is killed."""


class Recorder:
    """A sink. crash_before: the number of the event, or of the confirmation ("flush"), at which it breaks off."""

    def __init__(self) -> None:
        self.events: list[UsageEvent] = []
        self.rejections: list[Rejection] = []
        self.crash_before: int | str | None = None

    def event(self, event: UsageEvent) -> None:
        if isinstance(self.crash_before, int):
            if self.crash_before == 0:
                raise Crash
            self.crash_before -= 1
        self.events.append(event)

    def rejection(self, rejection: Rejection) -> None:
        self.rejections.append(rejection)

    def flush(self) -> None:
        if self.crash_before == "flush":
            raise Crash


class World:
    """A directory with a log. patterns: what is followed, relative to it."""

    def __init__(self, folder: Path, patterns: Sequence[str] = ("app.log",), **options: Any) -> None:
        self.folder = folder
        self.log = folder / "app.log"
        self.sink = Recorder()
        self.said: list[str] = []
        read = ReadOptions(
            now=datetime.now(UTC), column_map=options.pop("column_map", MAP), **options.pop("read", {})
        )
        self._options = FollowOptions(
            patterns=tuple(str(folder / pattern) for pattern in patterns), read=read, **options
        )
        self._store = CheckpointStore(folder / "state")
        self._follower = Follower(self._options, self._store, say=self.said.append)

    def close(self) -> None:
        self._store.close()

    def restart(self) -> None:
        self._store.close()
        self._store = CheckpointStore(self.folder / "state")
        self._follower = Follower(self._options, self._store, say=self.said.append)

    def lose_state(self) -> None:
        self._store.close()
        shutil.rmtree(self.folder / "state")
        self.restart()

    def poll(self, *, later: timedelta = timedelta()) -> Round:
        return self._follower.round(self.sink, datetime.now(UTC) + later)

    def crash(self, before: int | str) -> None:
        self.sink.crash_before = before
        try:
            self.poll()
        except Crash:
            self.restart()
        finally:
            self.sink.crash_before = None

    def settle(self) -> None:
        """Polls until everything, what is compressed too, is read to its end."""
        for _ in range(3):
            self.poll(later=LATER)

    @property
    def ids(self) -> set[str]:
        return {event.id for event in self.sink.events}

    @property
    def inputs(self) -> list[int]:
        """The input tokens of distinct calls, sorted."""
        return sorted({event.id: event.input_tokens for event in self.sink.events}.values())

    def append(self, *numbers: int, end: str = "\n") -> None:
        with self.log.open("a") as log:
            log.write("\n".join(line(number) for number in numbers) + end)

    def rotate_by_rename(self, *, create: bool = True) -> None:
        self._shift()
        if self.log.exists():
            self.log.rename(self.folder / "app.log.1")
        if create:
            self.log.touch()

    def rotate_by_copy(self, before_truncating: Callable[[], object] = lambda: None) -> None:
        self._shift()
        if self.log.exists():
            shutil.copyfile(self.log, self.folder / "app.log.1")
            before_truncating()
            with self.log.open("r+") as log:
                log.truncate(0)

    def delete_beyond(self, keep: int) -> None:
        """Deletes all rotated files but the last ones."""
        for old in self.folder.glob("app.log.*"):
            if int(old.name.removeprefix("app.log.").partition(".")[0]) > keep:
                old.unlink()

    def compress(self, number: int, ending: str = ".gz") -> None:
        plain = self.folder / f"app.log.{number}"
        if plain.exists():
            packed = PACKING[ending](plain.read_bytes())
            (self.folder / f"app.log.{number}{ending}").write_bytes(packed)
            plain.unlink()

    def _shift(self) -> None:
        # More than any test rotates: what falls off the end is deleted, and what is deleted unseen is lost.
        for number in range(40, 0, -1):
            for ending in ("", *PACKING):
                old = self.folder / f"app.log.{number}{ending}"
                if old.exists():
                    old.rename(self.folder / f"app.log.{number + 1}{ending}")


def line(number: int) -> str:
    return json.dumps({"time": "2026-10-01T00:00:00Z", "in": number, "note": "x" * (number % 40)})
