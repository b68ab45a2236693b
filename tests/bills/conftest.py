"""A vendor that answers, and what asks it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from producers.bills.fetch import Fetcher
from tests.bills.cases import NOW, Case, Reader
from tests.bills.fake_vendors import Fake
from tests.bills.vendor_server import VendorServer


class Asking:
    """A case with its vendor: `reader` reads, `fake` answers, `server` is asked, `pauses` were asked for."""

    def __init__(
        self, case: Case, server: VendorServer, fake: Fake, pauses: list[float], fetcher: Fetcher
    ) -> None:
        self.server = server
        self.fake = fake
        self.pauses = pauses
        self.reader = Reader(case, server, fetcher)


@pytest.fixture
def ask() -> Iterator[Callable[[Case], Asking]]:
    with ExitStack() as stack:

        def make(case: Case) -> Asking:
            fake = case.fake()
            pauses: list[float] = []
            server = stack.enter_context(VendorServer(fake.answer))
            fetcher = stack.enter_context(
                Fetcher(clock=lambda: NOW, sleep=pauses.append, timeout_seconds=2.0)
            )
            return Asking(case, server, fake, pauses, fetcher)

        yield make
