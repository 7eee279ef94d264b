"""The graph of numeric events, read from what Plotly draws and from the table below it."""

import asyncio
import re
from typing import Any

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from tests.ingest.web.posting import event, now_ms, post
from tests.ingest.web.viewer import ALL_BESIDES, Viewer, viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")

_LINES = """() => document.querySelector('.plot').data.filter((trace) => trace.line?.width > 0)
  .map((trace) => [trace.name, trace.y.map((y) => y === null ? null : Number(y))])"""

_BANDS = """() => document.querySelector('.plot').data.filter((trace) => trace.line?.width === 0)
  .map((trace) => [trace.name, [...trace.y]])"""

# As a drag over the graph does it, to the millisecond.
_ZOOM = """async (times) => {
  const { localTime } = await import('/assets/time.js');
  const [from, to] = times.map(localTime);
  await Plotly.relayout(document.querySelector('.plot'), { 'xaxis.range[0]': from, 'xaxis.range[1]': to });
}"""


async def lines(viewer: Viewer) -> dict[str, list[float | None]]:
    """The means that are drawn, by path; None is a gap."""
    found: list[tuple[str, Any]] = await viewer.page.evaluate(_LINES)
    return dict(found)


async def drawn(viewer: Viewer, path: str, figures: list[str]) -> None:
    """Wait until the table below the graph has these: latest, min, max, mean, numbers."""
    row = viewer.page.locator(".summary tbody tr", has_text=path)
    await expect(row.locator("td")).to_have_text(figures, timeout=8000)


async def test_only_numbers_are_drawn(browser: Browser, either: ClientSession) -> None:
    now = now_ms() // 1000 * 1000 - 60_000
    valores = ["10", "20", "parado", "", "30", "nan", "0x10", "12,5"]
    await post(either, [event(valor, timestamp=now + i * 1000) for i, valor in enumerate(valores)])
    await post(either, [event("só texto", "brasil.norte.sensor09", now)])
    async with viewing(browser, either, viewport=ALL_BESIDES) as viewer:
        await drawn(viewer, "brasil.sudeste", ["30", "10", "30", "20", "3"])
        await drawn(viewer, "brasil.norte", ["–", "–", "–", "–", "0"])
        drawn_lines = await lines(viewer)
        assert drawn_lines["brasil.sudeste"] == [10, 20, None, 30], "seconds without a number are a gap"
        assert drawn_lines["brasil.norte"] == []


async def test_new_numbers_move_the_graph_without_a_reload(browser: Browser, service: ClientSession) -> None:
    await post(service, [event("1", timestamp=now_ms() - 5000)])
    async with viewing(browser, service, viewport=ALL_BESIDES) as viewer:
        await drawn(viewer, "brasil.sudeste", ["1", "1", "1", "1", "1"])
        await post(service, [event("3")])
        await drawn(viewer, "brasil.sudeste", ["3", "1", "3", "2", "2"])


async def test_sensors_are_found_by_typing_and_taken_out_again_and_the_address_keeps_them(
    browser: Browser, service: ClientSession
) -> None:
    now = now_ms()
    tags = [f"brasil.{region}.sensor{i:03}" for region in ("norte", "sul") for i in range(500)]
    await post(service, [event(str(i), tag, now) for i, tag in enumerate(tags)])
    async with viewing(browser, service, viewport=ALL_BESIDES) as viewer:
        await drawn(viewer, "brasil.norte", ["249.5", "0", "499", "249.5", "500"])
        box = viewer.page.get_by_role("combobox", name="Add a sensor or region to the graph")
        await box.fill("sul 123")
        await expect(viewer.page.locator("#choices [role=option]")).to_have_text(["brasil.sul.sensor123"])
        await box.press("Enter")
        await drawn(viewer, "brasil.sul.sensor123", ["623", "623", "623", "623", "1"])
        await viewer.page.get_by_role("button", name="brasil.norte: take it out of the graph").click()
        await expect(viewer.page.locator(".summary tbody tr")).to_have_count(2)
        assert viewer.page.url.endswith("?path=brasil.sul&path=brasil.sul.sensor123")
        await viewer.page.reload()
        await drawn(viewer, "brasil.sul.sensor123", ["623", "623", "623", "623", "1"])
        assert list(await lines(viewer)) == ["brasil.sul", "brasil.sul.sensor123"]


async def test_a_line_alone_has_a_band_from_least_to_most(browser: Browser, service: ClientSession) -> None:
    second = now_ms() // 1000 * 1000 - 20_000
    await post(service, [event(valor, timestamp=second + i) for i, valor in enumerate(["1", "5", "9"])])
    async with viewing(browser, service, "?path=brasil.sudeste.sensor01", viewport=ALL_BESIDES) as viewer:
        await drawn(viewer, "brasil.sudeste.sensor01", ["5", "1", "9", "5", "3"])
        assert await viewer.page.evaluate(_BANDS) == [["min", [1]], ["max", [9]]]


async def test_thirty_days_come_from_the_counts_and_a_zoom_goes_back_to_the_events(
    browser: Browser, either: ClientSession
) -> None:
    now = now_ms()
    day = 86_400_000
    await post(either, [event(str(age), timestamp=now - age * day) for age in range(30)])
    await post(either, [event("100", timestamp=now - 600_000), event("200", timestamp=now - 598_000)])
    # A graph of a month is drawn anew once a minute: it has to find the counts there.
    await counted(either, now - 30 * day, 32)
    async with viewing(browser, either, "?range=2592000000", viewport=ALL_BESIDES) as viewer:
        await drawn(viewer, "brasil.sudeste", [*await _latest(viewer), "0", "200", "22.9688", "32"])
        await viewer.says("#graph .note", "Steps of 3 hours, from counts by the hour.")
        await viewer.page.evaluate(_ZOOM, [now - 620_000, now - 580_000])
        await drawn(viewer, "brasil.sudeste", ["200", "100", "200", "150", "2"])
        await viewer.says("#graph .note", "Steps of 1 second, from single events.")
        await viewer.page.get_by_role("button", name="Reset zoom").click()
        await viewer.says("#graph .note", "Steps of 3 hours, from counts by the hour.")


async def counted(service: ClientSession, start_ms: int, numbers: int) -> None:
    """Wait until the region's hours, which are counted last, hold so many numbers."""
    asked = {"path": "brasil.sudeste", "start": str(start_ms), "step": "10800000"}
    async with asyncio.timeout(30):
        while True:
            answer = await (await service.get("/series", params=asked)).json()
            found = sum(answer["series"][0]["n"])
            if found == numbers:
                return
            await asyncio.sleep(0.05)


async def _latest(viewer: Viewer) -> list[str]:
    """Whatever it is: today's events are of one step of 3 hours or of two, by the clock."""
    cell = viewer.page.locator(".summary tbody td").first
    await expect(cell).to_be_visible(timeout=8000)
    return [await cell.inner_text()]


async def test_hovering_tells_dragging_zooms_and_a_double_click_goes_back(
    browser: Browser, service: ClientSession
) -> None:
    now = now_ms()
    await post(service, [event(str(i), timestamp=now - i * 1000) for i in range(250)])
    async with viewing(browser, service, viewport=ALL_BESIDES) as viewer:
        await expect(viewer.page.locator(".summary tbody td").last).to_have_text("250", timeout=8000)
        box = await viewer.page.locator(".plot .nsewdrag").bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        await viewer.page.mouse.move(box["x"] + box["width"] * 0.4, middle)
        await expect(viewer.page.locator(".plot .hoverlayer")).to_contain_text("brasil.sudeste")
        await viewer.page.mouse.down()
        await viewer.page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
        await viewer.page.mouse.up()
        reset = viewer.page.get_by_role("button", name="Reset zoom")
        await expect(reset).to_be_visible()
        await expect(viewer.page.locator(".summary tbody td").last).to_have_text(re.compile(r"^[56]\d$"))
        await viewer.page.mouse.dblclick(box["x"] + box["width"] * 0.5, middle)
        await expect(reset).to_be_hidden()
        await expect(viewer.page.locator(".summary tbody td").last).to_have_text("250")


async def test_the_chart_library_is_fetched_only_where_a_graph_is_looked_at(
    browser: Browser, service: ClientSession
) -> None:
    await post(service, [event("1")])
    async with viewing(browser, service, viewport={"width": 390, "height": 844}) as viewer:
        await viewer.sees("1")
        assert await viewer.page.evaluate("typeof Plotly") == "undefined"
        await viewer.page.get_by_role("link", name="Graph", exact=True).click()
        await expect(viewer.page.locator(".plot .main-svg").first).to_be_visible(timeout=8000)
