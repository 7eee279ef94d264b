"""What the page says while there is nothing to show, and how it comes back."""

import shlex
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from ingest.routes.live import MOST_WATCHERS
from ingest.settings import Settings
from tests.ingest.service import influx_settings, serving
from tests.ingest.web.posting import event, now_ms, post, shown
from tests.ingest.web.viewer import viewing
from tools import influx_server as influx
from tools.influx_server import free_port

pytestmark = pytest.mark.asyncio(loop_scope="session")

_REMEMBER_WHAT_IS_SAID = """addEventListener('DOMContentLoaded', () => {
  const connection = document.querySelector('#connection');
  window.said = [];
  new MutationObserver(() => window.said.push(connection.textContent)).observe(connection, { childList: true });
});"""


async def test_an_empty_store_says_how_to_send_the_first_event(browser: Browser, service: ClientSession) -> None:
    async with viewing(browser, service) as viewer:
        await expect(viewer.page.get_by_text("No events yet", exact=True)).to_be_visible()
        await viewer.is_accessible()
        command = await viewer.page.locator(".nothing code").inner_text()
        await post_as_curl_does(service, command)
        await viewer.sees("23.5")
        await expect(viewer.page.get_by_text("No events yet", exact=True)).to_be_hidden()
        await viewer.says("#counts summary", "brasil.sudeste - 1")


async def post_as_curl_does(client: ClientSession, command: str) -> None:
    """The command that people copy, taken apart as a shell does it."""
    line = command.replace("\\\n", "").replace("$(date +%s)", str(now_ms() // 1000))
    curl, url, _, header, _, body = shlex.split(line)
    assert curl == "curl"
    name, _, value = header.partition(": ")
    async with client.post(url, data=body, headers={name: value}) as answer:
        assert answer.status == 202, f"{command} gave {await answer.text()}"


async def test_a_restarted_service_is_found_again_with_what_came_meanwhile_and_nothing_twice(
    browser: Browser, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, port=free_port(), grace_seconds=0.2)
    start = now_ms()
    events = [event(f"{number}", timestamp=start + number) for number in range(6)]
    async with AsyncExitStack() as looking:
        async with serving(settings) as client:
            viewer = await looking.enter_async_context(viewing(browser, client, unanswered=True))
            await post(client, events[:2])
            await viewer.sees("1")
        await viewer.says("#connection", "server gone")
        await expect(viewer.page.get_by_role("alert")).to_contain_text("The server is gone since")
        assert await viewer.rows() == shown(events[:2]), "what was seen stays"
        await viewer.is_accessible()
        async with serving(settings) as client:
            await post(client, events[2:])
            await viewer.sees("5", seconds=6)
            assert await viewer.rows() == shown(events)
            await viewer.says("#connection", "live")
            await expect(viewer.page.get_by_role("alert")).to_be_hidden()
            await viewer.says("#counts summary", "brasil.sudeste - 6")
            await post(client, [event("after")])
            await viewer.sees("after")


async def test_a_store_that_cannot_be_read_is_named_and_live_events_still_come(
    browser: Browser, tmp_path: Path
) -> None:
    with influx.own_influxd() as influxd:
        server = influx.set_up(influxd.server)
        for bucket in ("away", "away-rollup"):
            influx.make_bucket(server, bucket)
        settings = influx_settings(tmp_path, server, "away", grace_seconds=0.2, influx_timeout_seconds=1.0)
        async with serving(settings) as client, viewing(browser, client, unanswered=True) as viewer:
            await post(client, [event("before")])
            await viewer.sees("before")
            influxd.stop()
            await viewer.says("#connection", "store unavailable", seconds=10)
            await viewer.page.add_init_script(_REMEMBER_WHAT_IS_SAID)
            await viewer.page.reload()
            await viewer.says("#connection", "store unavailable", seconds=10)
            # A second look of the service at the store.
            await viewer.page.wait_for_timeout(5500)
            assert await viewer.page.evaluate("window.said") == ["store unavailable"]
            await expect(viewer.page.get_by_role("alert")).to_contain_text("The store is not available")
            await post(client, [event("meanwhile")])
            await viewer.sees("meanwhile")
            influxd.start()
            await viewer.says("#connection", "live", seconds=20)
            await expect(viewer.page.get_by_role("alert")).to_be_hidden()
            await viewer.says("#counts summary", "brasil.sudeste - 2", seconds=10)
            assert [row.valor for row in await viewer.rows()] == ["meanwhile", "before"]


async def test_whoever_finds_too_many_watchers_is_told_so_and_gets_the_next_place(
    browser: Browser, service: ClientSession
) -> None:
    await post(service, [event("1")])
    async with AsyncExitStack() as watchers:
        for _ in range(MOST_WATCHERS):
            await watchers.enter_async_context(service.get("/events/stream"))
        viewer = await watchers.enter_async_context(viewing(browser, service, unanswered=True))
        await viewer.says("#connection", "not live")
        alert = viewer.page.get_by_role("alert")
        await expect(alert).to_contain_text(
            f"No live events now: {MOST_WATCHERS} watchers follow the live events already"
        )
        await service.close()
        await viewer.says("#connection", "live")
        await viewer.sees("1")
