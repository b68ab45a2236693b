"""Takes a picture of every board in both themes: `python tests/page/pictures.py http://127.0.0.1:8765/ FOLDER`.

The page must be running, as after `weir demo`. It is how the pictures of the documentation are made, and how a person
looks at all boards at once.
"""

import asyncio
import json
import sys
import urllib.request
from pathlib import Path

from playwright.async_api import async_playwright

CHROMIUM = "/usr/bin/chromium"
STANDS = "#panels:not(:has(.body[data-state=loading])) .panel"
WAIT_MS = 120_000
DRAWN_MS = 1_500
SIZE = {"width": 1280, "height": 960}


def board_names(page_url: str) -> list[str]:
    """The boards that the page shows, in their order."""
    with urllib.request.urlopen(f"{page_url}api/boards", timeout=30) as answer:
        return [board["name"] for board in json.load(answer)["boards"]]


async def take(page_url: str, names: list[str], folder: Path, range_name: str) -> None:
    """Writes `<board>-light.png` and `<board>-dark.png` for each board."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport=SIZE, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_default_timeout(WAIT_MS)
        for name in names:
            await page.goto(f"{page_url}?board={name}&range={range_name}")
            await page.wait_for_selector(STANDS)
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                await page.wait_for_timeout(DRAWN_MS)
                await page.screenshot(path=folder / f"{name}-{scheme}.png")
        await browser.close()


if __name__ == "__main__":
    url, target = sys.argv[1:3]
    Path(target).mkdir(parents=True, exist_ok=True)
    asyncio.run(take(url, board_names(url), Path(target), sys.argv[3] if len(sys.argv) > 3 else "30d"))
