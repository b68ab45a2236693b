"""One visit to the page with headless Chromium, which notes whatever went wrong."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from page_ledger import PageLedger, served_page
from playwright.async_api import Browser, Locator, Page, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STANDS = "#panels:not(:has(.body[data-state=loading])) .panel"
PATIENCE_MS = 60_000
"""How long a slow machine may take; nothing here measures time."""

BROWSER_MARKS = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CI") != "true",
        reason="no Chromium at /usr/bin/chromium; install it with: apt-get install chromium",
    ),
]
"""Of each module that opens the page."""


class Visit:
    """One open page, with everything it complained of and asked for."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda failure: self.complaints.append(str(failure)))
        page.on("request", lambda request: self.requests.append(request.url))

    async def go(self, query: str = "", *, wait: str = STANDS) -> None:
        await self.page.goto(self.url + query)
        await self.page.wait_for_selector(wait, state="attached")

    def text(self, selector: str) -> Any:
        return expect(self.page.locator(selector))

    def panel(self, name: str) -> Locator:
        return self.page.locator(f"[data-panel={name}]")

    async def menu(self, panel: str, item: str) -> None:
        """Chooses an item of a panel's menu."""
        await self.panel(panel).locator(".menu summary").click()
        await self.panel(panel).locator(".menu li > *", has_text=item).click()

    def check(self) -> None:
        """Nothing went wrong, and nothing left this machine."""
        assert self.complaints == []
        assert [each for each in self.requests if not each.removeprefix("blob:").startswith(self.url)] == []


@asynccontextmanager
async def visiting(
    browser: Browser, ledger: PageLedger, *, width: int = 1360, scheme: Any = "light"
) -> AsyncIterator[Visit]:
    async with served_page(ledger.directory) as url:
        context = await browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        visit = Visit(await context.new_page(), url)
        try:
            yield visit
        finally:
            await context.close()
