"""What `weir prices update` has appended: a folder of price files that are only ever added.

A file is named `<recorded_at>-<hash>.toml`: the moment from which its rows are known, and the beginning of the SHA-256
of its text. It is a price file as docs/prices.md tells it, and names the file before it. So a file that was edited,
removed or slipped in between is refused, with its name: what was once answered from these files stays answerable. That
the newest of them are missing shows nowhere: keep a copy.

A file comes into being whole or not at all: it is written beside, forced to the disk, and then named. Opening a folder
reads the files to check them and understands none; that is done when the first price is asked for.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tokenweir.errors import TokenweirError, WrongCall
from tokenweir.pricing.exchange import ExchangeRate
from tokenweir.pricing.offers import other_names
from tokenweir.pricing.overlay import Overlay, read_overlay
from tokenweir.pricing.price import Price
from tokenweir.pricing.sources import RowSource

_NAME: Final = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{16})\.toml")
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_PREVIOUS: Final = re.compile(r'^previous = "([^"]*)"$', re.MULTILINE)
_FEED: Final = re.compile(r'^feed = "([^"]+)"$', re.MULTILINE)


class RecordedChanged(TokenweirError):
    """A recorded price file is not what it was when it was written."""


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One update. feed: whose newer state it was; empty for a file written by hand."""

    name: str
    recorded_at: datetime
    feed: str
    text: str


class RecordedPrices:
    """A PriceSource over the files of a folder, oldest first; the rows of a later file are known later."""

    def __init__(self, files: Sequence[RecordedFile] = ()) -> None:
        self.files = tuple(files)
        self._read: dict[str, Overlay] = {}
        self._source: RowSource | None = None

    def rows_for(self, vendor: str, model: str) -> Sequence[Price]:
        """Rows that mean the model, or what the feed takes its name for, in the order in which they were recorded."""
        found = self._rows().rows_for(vendor, model)
        for other_vendor, other_model in other_names(vendor, model):
            found = found or self._rows().rows_for(other_vendor, other_model)
        return found

    def rows(self) -> Iterator[Price]:
        """Every row."""
        return self._rows().rows()

    def recorded_times(self) -> set[datetime]:
        """When any of the rows became known."""
        return {file.recorded_at for file in self.files}

    def exchange_rates(self) -> list[ExchangeRate]:
        """The exchange rates among them."""
        with_rates = [file for file in self.files if "[[exchange_rate]]" in file.text]
        return [rate for file in with_rates for rate in self._overlay(file).exchange_rates]

    def of_feeds(self) -> "RecordedPrices":
        """Only what was taken from newer states of a feed."""
        return RecordedPrices([file for file in self.files if file.feed])

    def _rows(self) -> RowSource:
        if self._source is None:
            self._source = RowSource(row for file in self.files for row in self._overlay(file).rows())
        return self._source

    def _overlay(self, file: RecordedFile) -> Overlay:
        if file.name not in self._read:
            self._read[file.name] = read_overlay(file.text, file.name, kind="recorded")
        return self._read[file.name]


def read_recorded(folder: Path) -> RecordedPrices:
    """What has been recorded in `folder`; nothing where there is no such folder.

    Raises RecordedChanged for a file that was changed, removed or added by other hands.
    """
    if not folder.is_dir():
        return RecordedPrices()
    files: list[RecordedFile] = []
    for path in sorted(folder.glob("*.toml")):
        named = _NAME.fullmatch(path.name)
        if named is None:
            raise RecordedChanged(
                f"{path} is no recorded update",
                hint="Take a price file in with `weir prices update FILE`, and keep it elsewhere",
            )
        data = path.read_bytes()
        if _hash(data) != named[2]:
            raise RecordedChanged(
                f"{path} was changed after it was recorded",
                hint="Bring the original back; a correction is a further update",
            )
        text = data.decode("utf-8")
        previous, feed = _PREVIOUS.search(text), _FEED.search(text)
        before = files[-1].name if files else ""
        if previous is None or previous[1] != before:
            missing = previous[1] if previous is not None and previous[1] else "nothing"
            raise RecordedChanged(
                f"{path} follows {missing}, but {before or 'nothing'} is before it",
                hint="Bring back the file that is missing, or remove the one that does not belong there",
            )
        recorded_at = datetime.strptime(named[1], _STAMP).replace(tzinfo=UTC)
        files.append(RecordedFile(path.name, recorded_at, feed[1] if feed else "", text))
    return RecordedPrices(files)


@contextmanager
def recording(folder: Path) -> Iterator[RecordedPrices]:
    """What has been recorded, while nobody else adds to it; makes the folder.

    Raises WrongCall where the folder cannot be made or another update is under way.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / "lock").open("a")
    except OSError as error:
        raise WrongCall(
            f"the folder of recorded prices {folder} cannot be written: {error.strerror}",
            hint="Name another with --to, or in the setting pricing.recorded",
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WrongCall(
                f"another update of {folder} is under way", hint="Try again when it has ended"
            ) from error
        for left_over in folder.glob(".*.part"):
            left_over.unlink()
        yield read_recorded(folder)


def append(folder: Path, recorded: RecordedPrices, recorded_at: datetime, text: str) -> Path:
    """Writes an update whole, within `recording`. Raises OSError where it cannot, and then nothing was added."""
    if recorded.files and recorded_at <= recorded.files[-1].recorded_at:
        raise WrongCall(
            f"the last update is of {recorded.files[-1].recorded_at:%Y-%m-%d %H:%M:%S} UTC, which is later than now",
            hint="Set this machine's clock right",
        )
    data = text.encode()
    path = folder / f"{recorded_at.astimezone(UTC).strftime(_STAMP)}-{_hash(data)}.toml"
    part = folder / f".{path.name}.part"
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
    return path


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
