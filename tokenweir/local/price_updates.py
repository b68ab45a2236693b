"""Taking a newer state of prices into the folder of recorded updates.

Two steps: a plan, which only reads and says what would be added, and `take`, which adds it. The plan is made anew under
the folder's lock, so that what is added is what the folder lacks at that moment.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tokenweir.pricing.exchange import ExchangeRates, reference_rates
from tokenweir.pricing.genai_feed import GenaiFeed
from tokenweir.pricing.incoming import FEED, Incoming, IncomingFeed, read_incoming
from tokenweir.pricing.overlay import read_overlay
from tokenweir.pricing.own_data import own_data
from tokenweir.pricing.recorded import RecordedFile, RecordedPrices, append, read_recorded, recording
from tokenweir.pricing.sources import PriceSource
from tokenweir.pricing.toml_tables import text_of
from tokenweir.pricing.updating import Update, Updating
from tokenweir.pricing.writing import price_file


def incoming_of(file: Path | None) -> Incoming:
    """The newer state that is to be taken: a file's, or the installed genai-prices'.

    Raises WrongCall for a file that is neither a price file nor the feed's data, and for one with a mistake.
    """
    if file is None:
        return IncomingFeed(GenaiFeed())
    return read_incoming(text_of(file), file.name)


@dataclass(frozen=True, slots=True)
class Taken:
    """An update and the file that holds it; None where nothing is new."""

    update: Update
    path: Path | None


class PriceUpdate:
    """One newer state beside what is recorded in a folder.

    now: when the update becomes known. end_vanished: whether models that the feed no longer lists get an end.
    """

    def __init__(
        self, incoming: Incoming, folder: Path, now: datetime, *, end_vanished: bool = False
    ) -> None:
        self.incoming = incoming
        self._folder = folder
        self._now = now
        self._end_vanished = end_vanished
        self._feed = GenaiFeed()
        self._planned: tuple[tuple[RecordedFile, ...], Update] | None = None

    def plan(self) -> Update:
        """What would be added. Raises RecordedChanged."""
        return self._plan(read_recorded(self._folder))

    def take(self) -> Taken:
        """Adds what is new, whole or not at all. Raises WrongCall, RecordedChanged, OSError."""
        with recording(self._folder) as recorded:
            update = self._plan(recorded)
            if not (update.additions or update.carried or update.rates):
                return Taken(update, None)
            header = {"previous": recorded.files[-1].name if recorded.files else ""}
            if self.incoming.feed:
                header["feed"] = self.incoming.feed
            text = price_file("recorded", self._now, update.rows(), update.rates, header)
            # Refused now rather than whenever prices are next asked for.
            read_overlay(text, f"{self.incoming.source}, as it would be recorded", kind="recorded")
            return Taken(update, append(self._folder, recorded, self._now, text))

    def _plan(self, recorded: RecordedPrices) -> Update:
        if self._planned is not None and self._planned[0] == recorded.files:
            return self._planned[1]
        book: list[PriceSource] = [self._feed, own_data(), recorded]
        predecessor: list[PriceSource] = book
        if self.incoming.feed == FEED:
            predecessor = [self._feed, recorded.of_feeds()]
        rates = ExchangeRates(reference_rates(), recorded.exchange_rates())
        updating = Updating(self.incoming, book, predecessor, rates, self._now)
        self._planned = recorded.files, updating.update(end_vanished=self._end_vanished)
        return self._planned[1]
