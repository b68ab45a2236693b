"""Since when a store refuses what it is offered."""

from datetime import UTC, datetime

import pytest

from tokenweir.errors import RejectedInput, StoreUnavailable
from tokenweir.local.watched_store import WatchedStore


class Moody:
    """A store that answers as it is told."""

    def __init__(self) -> None:
        self.mood: Exception | None = None

    def write_events(self, lines: bytes, token: str) -> None:
        if self.mood is not None:
            raise self.mood

    def write_bills(self, lines: bytes, token: str) -> None:
        self.write_events(lines, token)

    def write_signals(self, lines: bytes, token: str) -> None:
        self.write_events(lines, token)

    def write_rejections(self, lines: bytes, token: str) -> None:
        self.write_events(lines, token)

    def keep(self, now: datetime) -> None:
        self.write_events(b"", "")


def test_trouble_lasts_from_the_first_refusal_until_a_block_is_taken() -> None:
    now = 100.0
    store = Moody()
    watched = WatchedStore(store, clock=lambda: now)
    watched.write_events(b"", "")
    assert watched.trouble_lasting(0) is None
    store.mood = StoreUnavailable("full")
    with pytest.raises(StoreUnavailable):
        watched.write_events(b"", "")
    now = 110.0
    store.mood = StoreUnavailable("still full")
    with pytest.raises(StoreUnavailable):
        watched.write_rejections(b"", "")
    assert watched.trouble_lasting(11) is None
    assert str(watched.trouble_lasting(10)) == "still full"
    store.mood = None
    watched.write_rejections(b"", "")
    assert watched.trouble_lasting(0) is None


def test_a_bad_line_and_housekeeping_are_no_trouble() -> None:
    store = Moody()
    watched = WatchedStore(store)
    store.mood = RejectedInput("store_refused", "bad line")
    with pytest.raises(RejectedInput):
        watched.write_events(b"", "")
    store.mood = StoreUnavailable("busy")
    with pytest.raises(StoreUnavailable):
        watched.keep(datetime.now(UTC))
    assert watched.trouble_lasting(0) is None
