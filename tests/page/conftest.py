"""The page over a real engine."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from page_ledger import PageLedger


@pytest.fixture(scope="module")
def page_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageLedger]:
    """One engine a module: a process can have one open at a time."""
    ledger = PageLedger(str(tmp_path_factory.mktemp("page") / "chdb"))
    yield ledger
    ledger.close()


@pytest.fixture
def page_ledger(page_engine: PageLedger) -> PageLedger:
    """An empty ledger."""
    page_engine.clear()
    return page_engine
