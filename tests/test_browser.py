"""What is seen of a page's faults: a test that asks for none of them must be able to fail."""

import pytest
from playwright.async_api import Browser

from tests.browser import Faults

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORIGIN = "http://127.0.0.1:9"
PAGE = """<!doctype html>
<meta http-equiv="Content-Security-Policy" content="script-src 'unsafe-inline'; img-src *">
<script>console.error("wrong"); setTimeout("never()"); setTimeout(() => thrown(), 0)</script>
<img src="http://127.0.0.2:9/elsewhere.png">"""


async def test_errors_exceptions_violations_and_requests_elsewhere_are_seen(browser: Browser) -> None:
    page = await browser.new_page()
    faults = Faults(ORIGIN)
    faults.watch(page)
    await page.route(f"{ORIGIN}/", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    await page.goto(f"{ORIGIN}/")
    seen = "\n".join(faults.seen)
    for fault in ("console error: wrong", "Content Security Policy", "thrown is not defined", "http://127.0.0.2:9/"):
        assert fault in seen, seen
    await page.close()
