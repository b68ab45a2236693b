"""The page over a real engine."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

sys.path.insert(0, str(Path(__file__).parent))

from page_ledger import PageLedger
from visit import ARGUMENTS, CHROMIUM


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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()
