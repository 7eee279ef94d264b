"""On a phone and on a wide screen, in both themes, by keyboard, and as axe-core sees it."""

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from tests.ingest.web.posting import event, now_ms, post
from tests.ingest.web.viewer import ALL_BESIDES, viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1920, "height": 1080}
_SIZES = [(320, 640), (390, 844), (768, 1024), (1280, 800), (1920, 1080)]


async def filled(client: ClientSession) -> None:
    now = now_ms()
    valores = ["23.5", "um texto longo " * 30, "", "<b>x</b>"]
    regions = ["sul", "a" * 64]
    events = [event(valores[i % 4], f"brasil.{regions[i % 2]}.{'s' * (i % 64 + 1)}", now - i) for i in range(200)]
    await post(client, events)


async def test_nothing_sticks_out_to_the_side(browser: Browser, service: ClientSession) -> None:
    await filled(service)
    async with viewing(browser, service) as viewer:
        for width, height in _SIZES:
            await viewer.page.set_viewport_size({"width": width, "height": height})
            for section in ("events", "graph", "counts"):
                await viewer.page.evaluate(f"location.hash = '#{section}'")
                await expect(viewer.page.locator(f"#{section} h2")).to_be_visible()
                await expect(viewer.page.locator(f"#{section} .note, #{section} .rows tr").first).to_be_visible()
                needed = await viewer.page.evaluate("document.documentElement.scrollWidth")
                assert needed <= width, f"#{section} is {needed} px wide on {width}"


async def test_on_a_phone_each_section_is_a_tab(browser: Browser, service: ClientSession) -> None:
    await filled(service)
    async with viewing(browser, service, viewport=PHONE) as viewer:
        for name, heading in (("Graph", "Numbers"), ("Counts", "Counts"), ("Events", "Events")):
            await viewer.page.get_by_role("link", name=name, exact=True).click()
            await expect(viewer.page.get_by_role("heading", level=2)).to_have_text([heading])


@pytest.mark.parametrize(("scheme", "size"), [("light", PHONE), ("light", WIDE), ("dark", WIDE)], ids=str)
async def test_axe_finds_nothing_to_complain_of(
    browser: Browser, service: ClientSession, scheme: str, size: dict[str, int]
) -> None:
    await filled(service)
    async with viewing(browser, service, "?status=processado#graph", viewport=size, color_scheme=scheme) as viewer:
        await expect(viewer.page.locator(".plot .main-svg").first).to_be_visible(timeout=8000)
        await viewer.page.locator("#graph [role=combobox]").click()
        await viewer.is_accessible()
        await viewer.page.evaluate("location.hash = '#counts'")
        await viewer.page.locator("#counts summary").first.click()
        await viewer.is_accessible()
        await viewer.page.evaluate("location.hash = '#events'")
        await viewer.page.get_by_role("button", name="Pause").click()
        await viewer.is_accessible()
        await viewer.page.locator(".rows button").first.click()
        await viewer.is_accessible()


async def test_all_of_it_by_keyboard(browser: Browser, service: ClientSession) -> None:
    await post(service, [event(f"{i}", f"brasil.sul.sensor{i:02}", now_ms() - i) for i in range(90)])
    async with viewing(browser, service, viewport=ALL_BESIDES) as viewer:
        await viewer.sees("0")
        keys = viewer.page.keyboard
        await keys.press("Tab")
        await expect(viewer.page.get_by_text("Skip to the events")).to_be_focused()
        await keys.press("Tab")
        await expect(viewer.page.get_by_role("button", name="Theme: auto")).to_be_focused()
        await keys.press("Enter")
        await expect(viewer.page.get_by_role("button", name="Theme: light")).to_be_focused()
        await keys.press("Tab")
        await expect(viewer.page.get_by_role("button", name="Pause")).to_be_focused()
        for _ in range(6):
            await keys.press("Tab")
        await expect(viewer.page.get_by_role("region", name="Table of the events")).to_be_focused()
        await keys.press("PageDown")
        await viewer.says(".said", "paused: 0 newer events")
        await keys.press("Home")
        await viewer.says(".said", "newest first, as they arrive")
        for number in range(40):
            await keys.press("Tab")
            await expect(viewer.page.get_by_role("button", name=f"brasil.sul.sensor{number:02}")).to_be_focused()
        await keys.press("Enter")
        await viewer.says("dialog [data-field=valor]", "39")
        await keys.press("Escape")
        await expect(viewer.page.get_by_role("button", name="brasil.sul.sensor39")).to_be_focused()


async def test_the_theme_is_the_systems_until_chosen_and_is_kept(browser: Browser, service: ClientSession) -> None:
    async with viewing(browser, service, color_scheme="dark") as viewer:
        paper = "getComputedStyle(document.body).backgroundColor"
        dark = await viewer.page.evaluate(paper)
        await viewer.page.get_by_role("button", name="Theme: auto").click()
        light = await viewer.page.evaluate(paper)
        assert light != dark
        await viewer.page.reload()
        await expect(viewer.page.get_by_role("button", name="Theme: light")).to_be_visible()
        assert await viewer.page.evaluate(paper) == light


async def test_where_storage_is_blocked_the_theme_still_changes(browser: Browser, service: ClientSession) -> None:
    async with viewing(browser, service) as viewer:
        await viewer.page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
        )
        await viewer.page.reload()
        await viewer.page.get_by_role("button", name="Theme: auto").click()
        await expect(viewer.page.get_by_role("button", name="Theme: light")).to_be_visible()
