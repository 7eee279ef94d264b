"""A real, headless Chromium, and what a page did in it that no page of ours may do."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

from tools.chromium import CHROMIUM


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """The system's Chromium, closed at the end."""
    program = CHROMIUM.find("chromium")
    assert program is not None, "no chromium: run `make tools`"
    async with async_playwright() as playwright:
        # Chromium's sandbox cannot start as root.
        browser = await playwright.chromium.launch(
            executable_path=program, chromium_sandbox=os.geteuid() != 0, args=["--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Faults:
    """Errors on the console (a violated Content-Security-Policy is one), exceptions, requests to other origins."""

    origin: str
    seen: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.seen.append(f"exception: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.seen.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.seen.append(f"request to another origin: {request.url}")
