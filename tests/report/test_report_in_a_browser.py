"""A report opened from disk in headless Chromium: with nothing in the ledger, and with names that mean harm."""

import json
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from dashboards.report import named_period
from tests.panels.month import PanelLedger
from tests.report.reading import Report, report_of
from tokenweir.usage.metered import MeteredEvent

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
BOARDS: Final = ("fleet", "prices")
PATIENCE_MS: Final = 60_000
NOW: Final = datetime(2026, 11, 26, 12, 34, tzinfo=UTC)
HOSTILE: Final = (
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "--><!-- \" ' & &lt; `x`",
    "\u202egnp.exe",
    "{{constructor}} \\u003c \\",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CI") != "true",
        reason="no Chromium at /usr/bin/chromium; install it with: apt-get install chromium",
    ),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        await started.close()


async def opened(browser: Browser, file: Path, *, scripts: bool = True) -> tuple[Page, list[str]]:
    """The file in a tab of its own, and all that it complains of or asks for."""
    context = await browser.new_context(viewport={"width": 1100, "height": 900}, java_script_enabled=scripts)
    page = await context.new_page()
    noted: list[str] = []
    page.on("console", lambda message: noted.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda failure: noted.append(str(failure)))
    page.on("dialog", lambda dialog: noted.append(dialog.message))
    page.on("request", lambda request: noted.append(request.url) if request.url != file.as_uri() else None)
    await page.goto(file.as_uri())
    if scripts:
        await page.wait_for_selector("html[data-drawn=yes]", state="attached", timeout=PATIENCE_MS)
    return page, noted


def call(number: int, at: datetime, **fields: Any) -> dict[str, Any]:
    whole = {
        "id": f"test:{number}",
        "source": "test",
        "time": at,
        "vendor": "openai",
        "model": "gpt-4.1",
        "service": "answers",
        "input_tokens": 1000,
        "output_tokens": 100,
        "cost": "0.010000000001",
        "list_cost": "0.02",
        "price_status": "contract",
        "metered_at": at,
        "version": 1,
        **fields,
    }
    MeteredEvent.model_validate(whole, strict=False)
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in whole.items()}


async def test_an_empty_ledger_and_then_hostile_names(
    browser: Browser, empty_ledger: PanelLedger, tmp_path: Path
) -> None:
    period = named_period("7d", NOW)
    file = tmp_path / "report.html"
    text = await report_of(empty_ledger, period, NOW, boards=BOARDS)
    file.write_text(text, encoding="utf-8")
    assert "The ledger has no calls in this period" in Report(text).said
    page, noted = await opened(browser, file)
    assert noted == []
    assert await page.locator(".board").count() == len(BOARDS) + 1

    calls = [
        call(number, NOW - timedelta(hours=5 * number), team=name, service=name, model=name, tenant=name)
        for number, name in enumerate(HOSTILE * 4)
    ]
    calls.append(
        call(
            99,
            NOW,
            team="unknown",
            cost=None,
            list_cost=None,
            price_status="unpriced",
            unpriced_reason="none known",
        )
    )
    empty_ledger.ledger.write_events("\n".join(map(json.dumps, calls)).encode(), str(uuid.uuid4()))
    empty_ledger.ledger.keep(NOW)
    narrowed = {"team": [*HOSTILE, "unknown"]}
    text = await report_of(empty_ledger, period, NOW, boards=BOARDS, where=narrowed, title=HOSTILE[0])
    file.write_text(text, encoding="utf-8")
    assert "1 of 21 calls" in Report(text).said

    page, noted = await opened(browser, file)
    assert noted == []
    assert (await page.title()).startswith(HOSTILE[0])
    assert await page.locator("h1").inner_text() == HOSTILE[0]
    assert await page.locator("img").count() == 0
    assert await page.locator("script").count() == 3
    for name, drawn in (("fleet-spend-over-time", ".barlayer path"), ("prices-vendor-share", ".points path")):
        article = page.locator(f"#{name}")
        assert await article.locator(drawn).count() > 5, name
        assert await article.locator("details").get_attribute("open") is None
    legend = page.locator("#fleet-spend-over-time .legend")
    assert HOSTILE[1] in await legend.inner_text()
    await page.locator("#folds").click()
    foot = page.locator("#fleet-spend-over-time table[data-measure=usd] tfoot td").last
    assert await foot.inner_text() == "$0.20000000002"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.locator("#fleet-spend-over-time .segments input[value=all_calls]").check(force=True)
    assert len(await page.pdf(prefer_css_page_size=True)) > 20_000
    assert noted == []

    plain, noted = await opened(browser, file, scripts=False)
    await plain.locator("#fleet-spend-over-time table[data-measure=usd] tfoot").wait_for(state="visible")
    assert await plain.locator(".view:visible, #folds:visible").count() == 0
    assert noted == []
