"""Counts, as the lines that the original's page had, and as bars."""

from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from ingest.settings import Settings
from tests.ingest.service import serving
from tests.ingest.web.posting import event, now_ms, post
from tests.ingest.web.viewer import ALL_BESIDES, viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")

SENT = {"sudeste.sensor01": 700, "sudeste.sensor02": 300, "sul.sensor01": 1250, "sul.sensor02": 250}

_OPEN = """async () => {
  const branch = document.querySelector('#counts details');
  branch.open = false;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const started = performance.now();
  branch.open = true;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - started;
}"""


async def test_counts_are_those_of_what_was_sent_region_by_region_and_sensor_by_sensor(
    browser: Browser, either: ClientSession
) -> None:
    start = 1_539_112_021_301
    for path, size in SENT.items():
        await post(either, [event(str(i) if i % 3 else "", f"brasil.{path}", start + i) for i in range(size)])
    async with viewing(browser, either, viewport=ALL_BESIDES) as viewer:
        await viewer.says("#counts > .note", "2,500 events of 4 sensors in 2 regions.", seconds=10)
        summaries = viewer.page.locator("#counts summary")
        await expect(summaries).to_have_text(["brasil.sudeste - 1000", "brasil.sul - 1500"])
        await summaries.first.click()
        leaves = viewer.page.locator("#counts details").first.locator("li")
        await expect(leaves).to_have_text(["brasil.sudeste.sensor01 - 700", "brasil.sudeste.sensor02 - 300"])
        bars = viewer.page.get_by_role("table", name="Totals by region").locator("tbody tr")
        await expect(bars).to_have_text(["brasil.sul1,500", "brasil.sudeste1,000"])
        longest, other = [await bar.evaluate("e => e.clientWidth") for bar in await bars.locator("span").all()]
        assert other / longest == pytest.approx(1000 / 1500, abs=0.02)
        await post(either, [event("1", "brasil.norte.sensor01", start)])
        await expect(summaries).to_have_text(
            ["brasil.norte - 1", "brasil.sudeste - 1000", "brasil.sul - 1500"], timeout=10_000
        )
        await expect(leaves.first).to_be_hidden()


async def test_counts_of_the_graphs_range(browser: Browser, service: ClientSession) -> None:
    await post(service, [event(f"{age}", timestamp=now_ms() - age * 60_000) for age in (1, 2, 10, 30, 3000)])
    async with viewing(browser, service, viewport=ALL_BESIDES) as viewer:
        await viewer.says("#counts summary", "brasil.sudeste - 5")
        await viewer.page.get_by_label("Range of the counts").select_option("the graph’s range")
        await viewer.says("#counts summary", "brasil.sudeste - 2")
        await viewer.page.get_by_label("Range of the graph").select_option("last hour")
        await viewer.says("#counts summary", "brasil.sudeste - 4")


async def test_a_thousand_sensors_of_one_region_open_at_once(browser: Browser, service: ClientSession) -> None:
    await post(service, [event("1", f"brasil.sul.sensor{number:04}", now_ms()) for number in range(1000)])
    async with viewing(browser, service, viewport=ALL_BESIDES) as viewer:
        await viewer.says("#counts summary", "brasil.sul - 1000")
        leaves = viewer.page.locator("#counts li")
        await expect(leaves).to_have_count(1000)
        await expect(leaves.last).to_have_text("brasil.sul.sensor0999 - 1")
        took_ms = await viewer.page.evaluate(_OPEN)
        assert took_ms < 1000, f"{took_ms:.0f} ms until 1000 sensors are drawn"


async def test_what_the_service_warns_of_is_said_below_the_counts_as_long_as_it_does(
    browser: Browser, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "archive"
    in_the_way.write_bytes(b"no folder")
    settings = Settings(data_dir=tmp_path / "data", port=0, archive_dir=in_the_way)
    async with serving(settings) as client, viewing(browser, client, viewport=ALL_BESIDES) as viewer:
        await post(client, [event("1")])
        await expect(viewer.page.locator("#warnings")).to_contain_text("processed events are not written", timeout=8000)
        await viewer.says("#connection", "live")
        await viewer.is_accessible()
        in_the_way.unlink()
        await expect(viewer.page.locator("#warnings")).to_be_hidden(timeout=15_000)
