"""Follows files: finds them, reads what they have grown by, hands it on, and keeps how far it came.

One round looks at all files once and reads each to its present end. What was read is handed to a sink; only when the
sink has confirmed it is the checkpoint written. So at any moment a killed collector leaves a checkpoint behind which
all is in Kafka; what it had sent beyond is sent again after a restart, under the same names.
Invariants: memory is bounded by one turn at one file, and a few hundred bytes a file; a file that cannot be read is
said once and costs only itself.
Limits: what is written between two rounds into a file that is then deleted, or moved to a directory that is not looked
at, is lost. A checkpoint is forgotten when its file was not seen for FORGET_SECONDS.
"""

import gzip
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from producers.files.documents import is_document
from producers.files.formats import Format, ReadOptions
from producers.files.lines import DAMAGE, FileLines
from producers.files.paths import files_in, files_matching
from producers.files.reading import Piece
from producers.following.checkpoint import HEAD_BYTES, Checkpoint, fingerprint, first_bytes
from producers.following.document import read_document
from producers.following.growing import SETTLED_SECONDS
from producers.following.matching import Matched, NewFile, match
from producers.following.present import Present, present_at
from producers.following.rotated_names import home_of
from producers.following.store import CheckpointStore
from producers.following.turn import Replaced, Turn, WhollyRefused, bind_growing
from tokenweir.errors import WrongCall
from tokenweir.usage.event import UsageEvent
from tokenweir.usage.rejection import Rejection

FORGET_SECONDS: Final = 30 * 24 * 3600.0
_SEARCH_SECONDS: Final = 3600.0
_SEEN_AGAIN_SECONDS: Final = 24 * 3600.0
_REBIND_AFTER: Final = timedelta(seconds=60)
_MOST_BOUND: Final = 256
_COMMIT_BYTES: Final = 32 * 1024 * 1024


class Sink(Protocol):
    """Where what was read goes."""

    def event(self, event: UsageEvent) -> None:
        """Takes an event; may wait. Raises what keeps it from being delivered."""

    def rejection(self, rejection: Rejection) -> None:
        """Takes a rejection; as `event`."""

    def flush(self) -> None:
        """Returns when all that was taken is confirmed. Raises what keeps it from being."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOptions:
    """What to follow and how. patterns: files, directories with all below, patterns; looked up anew each round.
    read: as for reading files; its `now` is replaced. from_end: pass over what is in the files at the first start."""

    patterns: tuple[str, ...]
    read: ReadOptions
    from_end: bool = False


@dataclass(slots=True)
class Round:
    """What one round came to. files: that are followed. unreadable: of those, that cannot be read or told."""

    files: int = 0
    unreadable: int = 0
    read_files: int = 0
    read_bytes: int = 0
    events: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    rejections: int = 0


class Follower:
    """Follows the files of some patterns with the checkpoints of a store. One thread. say: tells a person."""

    def __init__(self, options: FollowOptions, store: CheckpointStore, *, say: Callable[[str], None]) -> None:
        self._options = options
        self._store = store
        self._say = say
        self._said: dict[str, str] = {}
        self.reset()
        self._passes_over = options.from_end and not self._known

    def reset(self) -> None:
        """Goes back to the last commit: after a sink has failed."""
        self._known: list[Checkpoint] = self._store.load()
        self._last_log = max((one.log for one in self._known), default=0)
        self._logs = {home_of(Path(one.came_from or one.path)): one.log for one in self._known}
        self._bound: OrderedDict[str, tuple[Format, datetime]] = OrderedDict()
        self._dirty: list[Checkpoint] = []
        self._aside: dict[str, tuple[int, int]] = {}
        self._document_events: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._uncommitted_bytes = 0

    def round(self, sink: Sink, now: datetime) -> Round:
        """Reads all that is new. now: UTC. Raises what the sink raises; call `reset` before going on then."""
        result = Round()
        matched = self._match(now)
        for path, problem in matched.unreadable.items():
            self._tell(path, f"{path} cannot be read: {problem}")
        work = [(one, file) for one, file in matched.claimed if self._has_news(one, file, now)]
        begun = [(self._begin(new, now), new.file) for new in matched.new]
        work += [(one, file) for one, file in begun if not one.copy_of and not one.after]
        # What counts on its own may repeat what is read elsewhere, which then has to have its number already.
        work.sort(key=lambda one: not one[0].behind)
        # A file that is rotated away before it was read to a first confirmation must be known, too.
        unconfirmed = [(one, file) for one, file in work if not one.offset]
        unconfirmed += [(one, file) for one, file in matched.claimed + begun if one.after]
        seen_more = [one for one, file in unconfirmed if _see(one, file)]
        if seen_more or matched.new:
            self._dirty += seen_more
            self._store.commit(self._dirty)
            self._dirty.clear()
        for checkpoint, file in work:
            self._read(checkpoint, file, sink, now, result)
            if self._uncommitted_bytes >= _COMMIT_BYTES:
                self._commit(sink)
        self._commit(sink)
        self._forget(matched, now)
        self._passes_over = False
        result.files = len(matched.claimed) + len(matched.new)
        result.unreadable = len(matched.unreadable) + len(self._aside)
        return result

    def _match(self, now: datetime) -> Matched:
        files = [file for path in self._paths() if (file := present_at(path)) is not None]
        for one in self._known:
            file = present_at(Path(one.path)) if one.adopted else None
            if file is not None and file.key == one.key:
                files.append(file)
        seconds = now.timestamp()

        def is_searched(checkpoint: Checkpoint) -> bool:
            return not checkpoint.lost_at or seconds - checkpoint.lost_at < _SEARCH_SECONDS

        matched = match(files, self._known, now_seconds=seconds, is_searched=is_searched)
        for checkpoint in matched.lost:
            if not checkpoint.lost_at:
                checkpoint.lost_at = seconds
                self._dirty.append(checkpoint)
        self._dirty += matched.changed
        return matched

    def _paths(self) -> Iterable[Path]:
        for pattern in self._options.patterns:
            path = Path(pattern).expanduser()
            if path.is_dir():
                yield from files_in(path)
            elif path.exists():
                yield path
            else:
                yield from files_matching(str(path))

    def _has_news(self, checkpoint: Checkpoint, file: Present, now: datetime) -> bool:
        if checkpoint.copy_of or checkpoint.after:
            return False
        seconds = now.timestamp()
        if seconds - checkpoint.seen_at > _SEEN_AGAIN_SECONDS:
            checkpoint.seen_at = seconds
            self._dirty.append(checkpoint)
        if (file.size_bytes, file.modified_ns) != (checkpoint.size_bytes, checkpoint.modified_ns):
            return True
        return not checkpoint.finished and _has_settled(file, now)

    def _begin(self, new: NewFile, now: datetime) -> Checkpoint:
        file = new.file
        checkpoint = Checkpoint(str(file.path), *file.key, file.born_ns)
        checkpoint.seen_at = now.timestamp()
        checkpoint.behind = new.before is not None
        home = home_of(file.path)
        if new.before is not None:
            checkpoint.log = new.before.log
        elif home in self._logs:
            checkpoint.log = self._logs[home]
        else:
            self._last_log += 1
            checkpoint.log = self._last_log
        self._logs.setdefault(home, checkpoint.log)
        if new.copy_of is not None:
            checkpoint.copy_of = new.copy_of.id
        if new.after is not None:
            checkpoint.after = new.after.id
        self._known.append(checkpoint)
        self._dirty.append(checkpoint)
        return checkpoint

    def _read(self, checkpoint: Checkpoint, file: Present, sink: Sink, now: datetime, result: Round) -> None:
        aside = self._aside.get(checkpoint.path)
        if aside == (file.inode, file.size_bytes):
            return
        options = replace(self._options.read, now=now)
        try:
            more = True
            while more:
                before = checkpoint.offset
                self._dirty.append(checkpoint)  # Each turn anew: a commit between turns has emptied the list.
                more = self._turn(checkpoint, file, options, sink, result)
                result.read_bytes += max(checkpoint.offset - before, 0)
                self._uncommitted_bytes += max(checkpoint.offset - before, 0)
                if more:
                    self._commit(sink)
        except (Replaced, FileNotFoundError):
            return  # The next round sees what it is now.
        except (WrongCall, WhollyRefused) as problem:
            self._aside[checkpoint.path] = (file.inode, file.size_bytes)
            self._tell(checkpoint.path, f"not followed: {problem}")
            return
        except DAMAGE as error:
            self._tell(checkpoint.path, f"{checkpoint.path} cannot be read on: {error}")
            if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
                return  # Not the content is at fault; the next round tries again.
        else:
            self._aside.pop(checkpoint.path, None)
            self._said.pop(checkpoint.path, None)
        checkpoint.size_bytes, checkpoint.modified_ns = file.size_bytes, file.modified_ns
        checkpoint.seen_at = now.timestamp()
        checkpoint.finished = _has_settled(file, now)
        result.read_files += 1

    def _turn(
        self, checkpoint: Checkpoint, file: Present, options: ReadOptions, sink: Sink, result: Round
    ) -> bool:
        """Reads on in one file; whether there is more."""
        if checkpoint.offset == 0:
            with FileLines(file.path) as lines:
                document = is_document(lines.peek())
            if document:
                known = self._document_events.pop(checkpoint.path, {})
                self._document_events[checkpoint.path] = known
                if len(self._document_events) > _MOST_BOUND:
                    self._document_events.popitem(last=False)
                self._hand_on(read_document(checkpoint, options, known), sink, result)
                return False
        settled = _has_settled(file, options.now)
        bound = self._format_of(checkpoint, options, settled=settled)
        if bound is None:
            return False
        turn = Turn(checkpoint, bound, self._store.names, options, settled=settled)
        self._hand_on(turn, sink, result)
        return turn.more

    def _format_of(self, checkpoint: Checkpoint, options: ReadOptions, *, settled: bool) -> Format | None:
        """The format, bound anew now and then: it holds the time against which the future is seen."""
        key = f"{checkpoint.id}/{checkpoint.path}"
        known = self._bound.pop(key, None)
        if known is not None and checkpoint.offset and options.now - known[1] < _REBIND_AFTER:
            bound: Format | None = known[0]
        else:
            bound = bind_growing(Path(checkpoint.path), options, settled=settled)
            known = None
        if bound is not None:
            self._bound[key] = (bound, known[1] if known is not None else options.now)
            if len(self._bound) > _MOST_BOUND:
                self._bound.popitem(last=False)
        return bound

    def _hand_on(self, pieces: Iterable[Piece], sink: Sink, result: Round) -> None:
        for piece in pieces:
            if self._passes_over:
                continue
            if isinstance(piece, UsageEvent):
                sink.event(piece)
                result.events += 1
                result.input_tokens += piece.input_tokens
                result.output_tokens += piece.output_tokens
            else:
                sink.rejection(piece)
                result.rejections += 1

    def _commit(self, sink: Sink) -> None:
        if self._dirty:
            sink.flush()
            self._store.commit({id(one): one for one in self._dirty}.values())
            self._dirty.clear()
            self._uncommitted_bytes = 0

    def _forget(self, matched: Matched, now: datetime) -> None:
        seconds = now.timestamp()
        gone = [one for one in matched.lost if not one.offset and seconds - one.lost_at >= _SEARCH_SECONDS]
        gone += [one for one in matched.lost if one.offset and one.seen_at < seconds - FORGET_SECONDS]
        gone += matched.replaced
        if gone:
            forgotten = {id(one) for one in gone}
            self._known = [one for one in self._known if id(one) not in forgotten]
            logs = {one.log for one in gone} - {one.log for one in self._known}
            self._logs = {home: log for home, log in self._logs.items() if log not in logs}
            self._store.forget(gone, logs)

    def _tell(self, path: str, sentence: str) -> None:
        if self._said.get(path) != sentence:
            self._said[path] = sentence
            self._say(sentence)


def _see(checkpoint: Checkpoint, file: Present) -> bool:
    """Notes what the file begins with and how large it is; whether more was seen of it than before."""
    start = first_bytes(file.path) if checkpoint.head_bytes < HEAD_BYTES else b""
    if len(start) <= checkpoint.head_bytes:
        return False
    checkpoint.head, checkpoint.head_bytes = fingerprint(start), len(start)
    # Not yet read, so that it still has news.
    checkpoint.size_bytes, checkpoint.modified_ns = file.size_bytes, -1
    return True


def _has_settled(file: Present, now: datetime) -> bool:
    """Whether it has not changed for so long that what it ends with is taken as it stands."""
    return now.timestamp() - file.modified_ns / 1e9 >= SETTLED_SECONDS
