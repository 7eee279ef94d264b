"""The report's HTML in a real browser: from the disk, with no network, in light and dark, on a phone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page

from loadgen.report.page import page as html
from loadgen.report.report import Report
from loadgen.report.run import load
from tests.browser import Faults
from tests.loadgen.report.recorded import record

pytestmark = pytest.mark.asyncio(loop_scope="session")

FAST, SLOW = [[1.0, 2.0, 2.5]] * 12, [[4.0, 1500.0, 7.0]] * 10
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
EVIL = "</script><img src=x onerror=alert(1)>&amp;<b>"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Of two runs; the second has text in its name and its errors that wants to be HTML."""
    evil = tmp_path / "slow <b onmouseover=alert(1)>&lt;i&gt;.jsonl"
    runs = load(
        [record(tmp_path / "fast.jsonl", FAST), record(evil, SLOW, failed={3: EVIL}, unsent=7, url=f"http://{EVIL}")]
    )
    path = tmp_path / "report.html"
    path.write_text(html(Report.of(runs)), encoding="utf-8")
    return path


@asynccontextmanager
async def opened(browser: Browser, path: Path, **context: Any) -> AsyncIterator[Page]:
    """The file, drawn; at the end nothing may have gone wrong, and nothing may have been asked for but the file."""
    visit = await browser.new_context(**context)
    page = await visit.new_page()
    faults, asked = Faults("file://"), []
    faults.watch(page)
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(path.as_uri())
    await page.wait_for_selector("#percentiles .scatterlayer .trace")
    yield page
    assert faults.seen == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [page.url]
    await visit.close()


async def lines(page: Page, plot: str) -> list[dict[str, Any]]:
    """What is drawn in a plot, without the legend's own lines."""
    read = """id => document.getElementById(id).data.filter(({x}) => x[0] !== null).map(
        ({name, x, y, visible, line}) => ({name, x, y, visible, colour: line.color}))"""
    drawn: list[dict[str, Any]] = await page.evaluate(read, plot)
    return drawn


async def test_the_plots_show_what_the_files_hold(browser: Browser, report: Path) -> None:
    async with opened(browser, report) as page:
        latency, rate, percentiles = [await lines(page, plot) for plot in ("latency", "rate", "percentiles")]
        assert [line["name"] for line in latency] == ["p50", "p99", "max"] * 2
        assert latency[0]["y"] == [2] * 12
        assert latency[5]["y"] == pytest.approx([1500] * 10, rel=0.001)
        assert [(line["name"], len(line["x"])) for line in rate] == [
            *(("acked", 12), ("planned", 12)),
            *(("acked", 10), ("planned", 10), ("failed", 10)),
        ]
        assert rate[4]["y"] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        assert percentiles[0]["x"][-1] == 36
        assert percentiles[1]["y"][-1] == pytest.approx(1500, rel=0.001)
        paths = await page.locator("#latency .scatterlayer .js-line").count()
        assert paths >= 6, "drawn, not only known"


async def test_text_from_the_files_is_shown_and_never_run(browser: Browser, report: Path) -> None:
    async with opened(browser, report) as page:
        assert await page.locator("h1").inner_text() == "loadgen: fast, slow <b onmouseover=alert(1)>&lt;i&gt;"
        assert EVIL in await page.locator("ul").inner_text()
        assert await page.locator("img, main b, main i").count() == 0
        await page.locator("#percentiles").scroll_into_view_if_needed()
        box = await page.locator("#percentiles .nsewdrag").bounding_box()
        assert box is not None
        await page.evaluate("Plotly.Fx.hover('percentiles', [{curveNumber: 1, pointNumber: 5}])")
        hover = page.locator("#percentiles .hovertext")
        assert "<b onmouseover=alert(1)>" in (await hover.text_content() or "")


async def test_a_run_is_hidden_and_shown_by_its_button_and_the_scale_by_its_box(browser: Browser, report: Path) -> None:
    async with opened(browser, report) as page:
        button = page.get_by_role("button", name="fast")
        await button.press("Enter")
        assert await button.get_attribute("aria-pressed") == "false"
        for plot in ("latency", "rate", "percentiles"):
            shown = {(line["colour"], line["visible"]) for line in await lines(page, plot)}
            assert {visible for _, visible in shown} == {True, False}, f"{plot}: {shown}"
        await button.press("Enter")
        assert all(line["visible"] for line in await lines(page, "latency"))
        assert await page.evaluate("document.getElementById('latency')._fullLayout.yaxis.type") == "log"
        await page.get_by_role("checkbox").uncheck()
        assert await page.evaluate("document.getElementById('latency')._fullLayout.yaxis.type") == "linear"


async def test_a_plot_is_saved_as_an_image_and_nothing_offers_to_send_it_away(browser: Browser, report: Path) -> None:
    async with opened(browser, report) as page:
        buttons = await page.locator("#latency .modebar-btn").all()
        titles = [await button.get_attribute("data-title") for button in buttons]
        assert titles == ["Download plot as a PNG", "Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes"]
        await page.locator("#latency").hover()
        async with page.expect_download() as download:
            await page.locator("#latency .modebar-btn").first.click()
        path = await (await download.value).path()
        assert path.read_bytes().startswith(b"\x89PNG")


async def test_it_fits_any_screen_and_is_accessible_in_light_and_dark(browser: Browser, report: Path) -> None:
    async with opened(browser, report, has_touch=True) as page:
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 844})
            await page.wait_for_function(
                "width => document.querySelector('#latency .main-svg').clientWidth <= width", arg=width
            )
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                found = await Axe().run(page, context="main")
                assert found.violations_count == 0, f"{scheme}, {width} px: {found.generate_report()}"


async def test_it_follows_the_system_into_the_dark(browser: Browser, report: Path) -> None:
    async with opened(browser, report, color_scheme="light") as page:
        light = (await lines(page, "latency"))[0]["colour"]
        await page.emulate_media(color_scheme="dark")
        await page.wait_for_function("was => document.getElementById('latency').data[0].line.color !== was", arg=light)


async def test_an_unfinished_run_and_one_without_answers_are_drawn(browser: Browser, tmp_path: Path) -> None:
    runs = load(
        [
            record(tmp_path / "whole.jsonl", FAST),
            record(tmp_path / "crashed.jsonl", FAST[:3], finished=False),
            record(tmp_path / "nobody.jsonl", [[], []], failed={0: "connection refused"}),
            record(tmp_path / "nothing.jsonl", [], finished=False),
        ]
    )
    path = tmp_path / "report.html"
    path.write_text(html(Report.of(runs)), encoding="utf-8")
    async with opened(browser, path) as page:
        assert len(await lines(page, "latency")) == 6
        assert "crashed: not finished" in await page.locator("ul").inner_text()
