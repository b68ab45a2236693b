"""The journal of a re-pricing: how far it has come, so that one that was killed goes on where it was.

A job is its arguments; the same arguments find the same journal until the job is finished. What decides its result is
fixed in the first line: the bounds, and the moment up to which prices are known. Then comes a line for each chunk of
calls, with what it changes and the last call that it looked at, and behind chunks that are in the ledger the word that
they are. The lines that a chunk sends to Kafka lie in a file beside the journal from before its line is written until
they are in the ledger.

Invariants: lines are only added, and each is on disk before what it announces is done; a last line that was cut off by
a kill announced nothing; one process has a ledger's journals at a time.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sinks.clickhouse.calls import CallKey
from tokenweir.errors import TokenweirError, WrongCall
from tokenweir.pricing.repricing_report import RepricingReport

_FORMAT: Final = 1
_NAME: Final = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class JobTerms:
    """What decides a job's result. Times are UTC; since and until as in `read_calls`.

    known_at: prices that became known later do not count. started_at: becomes `repriced_at`; calls that were priced
    later are left alone.
    """

    since: datetime | None
    until: datetime | None
    known_at: datetime
    started_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The terms in what JSON has."""
        return {name: _text(getattr(self, name)) for name in ("since", "until", "known_at", "started_at")}

    @classmethod
    def from_json(cls, stated: Mapping[str, Any]) -> "JobTerms":
        """What `as_json` gave."""
        return cls(**{name: _moment(stated[name]) for name in ("since", "until", "known_at", "started_at")})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Calls that were looked at together. last: the last of them. lines: the file of what is sent."""

    last: CallKey
    report: RepricingReport
    lines: Path


class Journal:
    """The journal of one job. `terms`, `report`, `last` and `waiting` tell what an earlier process left."""

    def __init__(self, directory: Path, terms: JobTerms) -> None:
        self._directory = directory
        self._path = directory / _NAME
        self.terms = terms
        self.report = RepricingReport()
        self.last: CallKey | None = None
        self.waiting: list[Chunk] = []
        self.is_resumed = False
        self._chunks = 0
        self._open()

    def add(self, last: CallKey, report: RepricingReport, lines: Sequence[bytes]) -> None:
        """Note a chunk before it is sent."""
        self._chunks += 1
        path = self._lines_path(self._chunks)
        if lines:
            _write(path, b"\n".join(lines))
        else:
            # A process that was killed before it had noted this chunk may have left its own decision there.
            path.unlink(missing_ok=True)
        self._append({"chunk": self._chunks, "last": [_text(last[0]), *last[1:]], "report": report.as_json()})
        self._take(Chunk(last, report, path))

    def stored(self) -> None:
        """Note that everything up to here is in the ledger."""
        if not self.waiting:
            return
        self._append({"stored": self._chunks})
        for chunk in self.waiting:
            chunk.lines.unlink(missing_ok=True)
        self.waiting = []

    def finish(self) -> None:
        """Close the job: the same arguments begin a new one from now on. The journal stays, under another name."""
        self._append({"finished": True})
        number = 1
        while (kept := self._directory / f"finished-{number}.jsonl").exists():
            number += 1
        self._path.rename(kept)
        _sync(self._directory)

    def _open(self) -> None:
        if not self._path.exists():
            self._begin()
            return
        lines = self._whole_lines()
        if not any("chunk" in stated for stated in lines):
            # Nothing was looked at yet, so that what is known by now may count.
            self._begin()
            return
        first, *others = lines
        if first.get("format") != _FORMAT:
            raise TokenweirError(
                f"The journal {self._path} is of another version of Tokenweir",
                hint="Finish the job with that version, or delete its directory to begin anew.",
            )
        self.terms = JobTerms.from_json(first)
        self.is_resumed = True
        for stated in others:
            if "chunk" in stated:
                time, tenant, call_id = stated["last"]
                self._chunks = stated["chunk"]
                last = (datetime.fromisoformat(time), tenant, call_id)
                report = RepricingReport.from_json(stated["report"])
                self._take(Chunk(last, report, self._lines_path(self._chunks)))
            elif "stored" in stated:
                self.waiting = []

    def _begin(self) -> None:
        _write(self._path, _line({"format": _FORMAT, **self.terms.as_json()}))

    def _whole_lines(self) -> list[dict[str, Any]]:
        """The lines that were written whole; what a kill left of another is cut off."""
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._path, len(whole))
        return [json.loads(line) for line in whole.splitlines()]

    def _take(self, chunk: Chunk) -> None:
        self.report.add(chunk.report)
        self.last = chunk.last
        self.waiting.append(chunk)

    def _append(self, stated: Mapping[str, Any]) -> None:
        with self._path.open("ab") as file:
            file.write(_line(stated))
            file.flush()
            os.fsync(file.fileno())

    def _lines_path(self, number: int) -> Path:
        return self._directory / f"chunk-{number}.ndjson"


@contextmanager
def open_journal(directory: Path, arguments: Mapping[str, Any], terms: JobTerms) -> Iterator[Journal]:
    """The journal of the job with these arguments, an unfinished one where there is one, in a directory of its own.

    directory: of all journals of one ledger. terms: of a job that begins. Raises TokenweirError where another process
    prices the ledger anew, WrongCall where the directory cannot be written.
    """
    text = json.dumps(arguments, sort_keys=True)
    own = directory / hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    try:
        own.mkdir(parents=True, exist_ok=True)
        lock = (directory / "lock").open("a")
    except OSError as error:
        raise WrongCall(
            f"The journal of the re-pricing cannot be written to {directory}: {error.strerror}",
            hint="Make the directory writable, or name another with --data-dir or local.data_dir.",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TokenweirError(
                f"Another process is pricing this ledger anew, by its journal in {directory}",
                hint="Wait for it to end, then run this again.",
            ) from error
        yield Journal(own, terms)


def _line(stated: Mapping[str, Any]) -> bytes:
    return json.dumps(stated, ensure_ascii=False).encode() + b"\n"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole, and have it and its name on disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
