"""The embedded run's store, and since when it refuses what it is offered.

The sink offers a refused block again for as long as it takes, which is right for a service and wrong for a command
that is to end: here it can see that the ledger has taken nothing for a while, and why.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from streams.block import BlockSink
from tokenweir.errors import StoreUnavailable


class WatchedStore:
    """A BlockSink that passes everything on to `store`. Any thread may ask `trouble_lasting`.

    clock: seconds that only grow.
    """

    def __init__(self, store: BlockSink, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._trouble: tuple[float, StoreUnavailable] | None = None

    def trouble_lasting(self, seconds: float) -> StoreUnavailable | None:
        """The latest refusal where no block was taken for so many seconds since the first one, else None."""
        trouble = self._trouble
        return trouble[1] if trouble is not None and self._clock() - trouble[0] >= seconds else None

    def write_events(self, lines: bytes, token: str) -> None:
        """See BlockSink."""
        with self._watched():
            self._store.write_events(lines, token)

    def write_rejections(self, lines: bytes, token: str) -> None:
        """See BlockSink."""
        with self._watched():
            self._store.write_rejections(lines, token)

    def write_bills(self, lines: bytes, token: str) -> None:
        """See BlockSink."""
        with self._watched():
            self._store.write_bills(lines, token)

    def write_signals(self, lines: bytes, token: str) -> None:
        """See BlockSink."""
        with self._watched():
            self._store.write_signals(lines, token)

    def keep(self, now: datetime) -> None:
        """See BlockSink. Housekeeping that fails holds nothing up and is no trouble yet."""
        self._store.keep(now)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as error:
            since = self._clock() if self._trouble is None else self._trouble[0]
            self._trouble = (since, error)
            raise
        self._trouble = None
