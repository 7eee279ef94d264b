"""The page and pages of other sites, in a real browser, with a service that wants tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, Error, HttpCredentials

from ingest.settings import Settings
from tests.ingest.service import serving
from tests.ingest.web.viewer import viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRITER, READER, ADMIN = "writer-0123456789", "reader-0123456789", "admin-0123456789"
TOKENS = f"gateway:write:{WRITER},page:read:{READER},admin:all:{ADMIN}"
LINE = 'events,country=brasil,region=sul,sensor=evil text="evil"'
# All that a page may send without asking the other site first, and an answer that it may not read.
ATTACK = """async (url) => {
  const sent = { method: 'POST', mode: 'no-cors', credentials: 'include', body: LINE };
  await fetch(url + '/write', sent).catch(() => {});
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action: url + '/write', enctype: 'text/plain' });
  form.append(Object.assign(document.createElement('input'), { name: LINE, value: '' }));
  document.body.append(form);
  form.submit();
}""".replace("LINE", repr(LINE))


def settings(folder: Path, **others: object) -> Settings:
    return Settings(**{"port": 0, "data_dir": folder, **others})  # type: ignore[arg-type]


async def test_the_page_works_with_a_password_that_may_read(browser: Browser, tmp_path: Path) -> None:
    async with serving(settings(tmp_path, tokens=TOKENS)) as client:
        headers = {"Authorization": f"Bearer {WRITER}"}

        async def post(valor: str) -> None:
            line = f'events,country=brasil,region=sul,sensor=s1 text="{valor}"'
            async with client.post("/write", data=line, headers=headers) as answer:
                assert answer.status == 204, await answer.text()

        await post("before")
        password = HttpCredentials(username="anybody", password=READER)
        async with viewing(browser, client, http_credentials=password) as viewer:
            await viewer.sees("before", seconds=10)
            await viewer.says("#connection", "live")
            await post("after")
            await viewer.sees("after", seconds=10)


async def test_without_a_password_the_browser_asks_for_one(browser: Browser, tmp_path: Path) -> None:
    async with serving(settings(tmp_path, tokens=TOKENS)) as client:
        page = await browser.new_page()
        # What a browser without a window says instead of asking.
        with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
            await page.goto(f"{str(client._base_url).rstrip('/')}/view_sensor")
        await page.close()


@pytest.mark.parametrize("tokens", ["", TOKENS], ids=["anonymous", "with the browser's password"])
async def test_a_page_of_another_site_writes_nothing(browser: Browser, tmp_path: Path, tokens: str) -> None:
    async with serving(settings(tmp_path, tokens=tokens)) as client, another_site() as elsewhere:
        url = str(client._base_url).rstrip("/")
        context = await browser.new_context(http_credentials=HttpCredentials(username="x", password=ADMIN))
        page = await context.new_page()
        # The browser knows the password, as after a visit.
        await page.goto(f"{url}/view_sensor")
        await page.goto(elsewhere)
        async with page.expect_response(lambda answer: answer.request.is_navigation_request()) as submitted:
            await page.evaluate(ATTACK, url)
        assert (await submitted.value).status == 403
        await context.close()
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with client.get("/get_data", params={"stop": "2100-01-01"}, headers=headers) as answer:
            assert (await answer.json())["events"] == []
        async with client.get("/metrics", headers=headers) as answer:
            assert 'ingest_requests_refused_total{client="",reason="cross_site"} 2.0' in await answer.text()


@asynccontextmanager
async def another_site() -> AsyncIterator[str]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>evil</title><body>", content_type="text/html")

    application = web.Application()
    application.router.add_get("/", page)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://localhost:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
