"""Somebody who looks at the page: what is on it, read from the document as a browser shows it."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, expect

from tests.browser import Faults

# What the browser itself says when nobody answers, or when the answer is that the store is away.
_UNANSWERED = re.compile(r"console error: Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED")
_CELLS = """(lines) => lines.map((line) => [
  line.querySelector('time').title, ...[...line.cells].slice(1).map((cell) => cell.textContent)])"""

# Where the graph is a tab of its own, its 5 MB of script are not fetched.
TABLE_ALONE = {"width": 900, "height": 800}
ALL_BESIDES = {"width": 1280, "height": 800}
_READ_ALL = (Path(__file__).parent / "read_all.js").read_text()


@dataclass(frozen=True)
class Shown:
    """A row of the table."""

    time: str
    tag: str
    valor: str
    status: str


@dataclass(frozen=True)
class Viewer:
    """Looks at one page of the browser."""

    page: Page

    async def rows(self) -> list[Shown]:
        """The rows that are in the document."""
        return [Shown(*each) for each in await self.page.locator(".rows tr").evaluate_all(_CELLS)]

    async def sees(self, valor: str, seconds: float = 2.0) -> None:
        """Wait until a row has this valor."""
        await expect(self.valor(valor).first).to_be_visible(timeout=seconds * 1000)

    def valor(self, text: str) -> Any:
        return self.page.locator(".rows td.valor", has_text=re.compile(f"^{re.escape(text)}$"))

    async def says(self, selector: str, text: str | re.Pattern[str], seconds: float = 5.0) -> None:
        await expect(self.page.locator(selector)).to_have_text(text, timeout=seconds * 1000)

    async def nodes(self) -> int:
        """How many the browser holds for the page, in the document or not, when garbage is collected."""
        devtools = await self.page.context.new_cdp_session(self.page)
        await devtools.send("Performance.enable")
        await devtools.send("HeapProfiler.collectGarbage")
        metrics = (await devtools.send("Performance.getMetrics"))["metrics"]
        await devtools.detach()
        return next(int(metric["value"]) for metric in metrics if metric["name"] == "Nodes")

    async def is_accessible(self) -> None:
        """Fails with what axe-core complains of."""
        results = await Axe().run(self.page)
        assert results.violations_count == 0, results.generate_report()

    async def read_all(self, rows: int) -> list[Shown]:
        """Scroll down until so many rows were seen, or the oldest; fails if one was left out on the way."""
        found: Sequence[tuple[int, list[str]]] = await self.page.evaluate(f"({_READ_ALL})({rows})")
        numbers = [number for number, _ in found]
        assert numbers == list(range(2, len(numbers) + 2)), "row numbers have gaps"
        return [Shown(*cells) for _, cells in found]


@asynccontextmanager
async def viewing(
    browser: Browser, client: ClientSession, query: str = "", *, unanswered: bool = False, **context: Any
) -> AsyncIterator[Viewer]:
    """The page of the service that ``client`` speaks to; fails at the end if the browser had to complain of anything.

    ``unanswered`` allows for complaints that a request had no answer, or one that says that nothing can be read.
    """
    url = str(client._base_url).rstrip("/")
    options = {"viewport": TABLE_ALONE, "timezone_id": "America/Sao_Paulo", **context}
    page = await browser.new_page(**options)
    faults = Faults(url)
    faults.watch(page)
    try:
        await page.goto(f"{url}/view_sensor{query}")
        yield Viewer(page)
    finally:
        await page.close()
    wrong = [fault for fault in faults.seen if not (unanswered and _UNANSWERED.search(fault))]
    assert not wrong, f"in the browser: {wrong}"
