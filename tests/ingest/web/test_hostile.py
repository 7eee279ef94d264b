"""Texts and names that want to be markup, script or a request to elsewhere, in every place where the page shows one."""

import json
from urllib.parse import quote

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, expect

from tests.ingest.web.posting import event, now_ms, post
from tests.ingest.web.viewer import ALL_BESIDES, Viewer, viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ELSEWHERE = "http://127.0.0.2:9/"
TEXTS = [
    "<script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    f"<img src='{_ELSEWHERE}?",
    f'"><link rel=stylesheet href={_ELSEWHERE}>',
    f"<base href={_ELSEWHERE}><form action={_ELSEWHERE}>",
    "</td></tr></table><svg onload=window.ran=1>",
    "</script><script>window.ran=1</script>",
    f"<iframe src=javascript:parent.ran=1></iframe><meta http-equiv=refresh content='0;url={_ELSEWHERE}'>",
    "javascript:window.ran=1",
    "{{constructor.constructor('window.ran=1')()}} ${window.ran=1} %{y} <extra>",
    '{"__proto__": {"ran": 1}}',
    "data: x\n\nevent: snapshot\ndata: {}\n\n",
    "\u202egnp.exe\u202c \u200b\u200d\u2066x\ufeff",
    "a\0b\x1b[31m\u2028\u2029c",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 40,
    "Z͑ͫ̓ͪ̂ͫ" * 200,
    "x" * 60_000,
]
# All letters, digits, _ and -: these are names that sensors may have.
TAGS = [
    "__proto__.constructor.hasOwnProperty",
    "__proto__.constructor.toString",
    "constructor.prototype.__proto__",
    f"{'w' * 64}.{'m' * 64}.{'長' * 64}",
    "برازيل.جنوب.حساس",
    "-.-._",
]
# Elements that no text may add, and what the page has of them by itself.
_FOREIGN = """() => ({
  ran: window.ran ?? null,
  polluted: ({}).ran ?? null,
  elements: document.querySelectorAll('iframe, base, object, embed, meta[http-equiv], img, form[action]').length,
  scripts: [...document.scripts].map(({ src }) => src).filter((src) => !src.startsWith(`${location.origin}/assets/`)),
  handlers: [...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames()).filter((n) => /^on/.test(n)),
})"""
_HOVER = """() => {
  const plot = document.querySelector('.plot');
  const curveNumber = plot.data.findIndex(({ name }) => name.startsWith('__proto__'));
  Plotly.Fx.hover(plot, [{ curveNumber, pointNumber: 0 }]);
}"""


async def is_untouched(page: Page) -> None:
    nothing: dict[str, object] = {"ran": None, "polluted": None, "elements": 0, "scripts": [], "handlers": []}
    assert await page.evaluate(_FOREIGN) == nothing


@pytest_asyncio.fixture(loop_scope="session")
async def posted(service: ClientSession) -> ClientSession:
    now = now_ms()
    await post(service, [event(text, timestamp=now - 60_000 + i) for i, text in enumerate(TEXTS)])
    await post(service, [event(str(i), tag, now - 30_000 + i) for i, tag in enumerate(TAGS)])
    return service


async def test_every_text_is_shown_as_it_is(browser: Browser, posted: ClientSession) -> None:
    async with viewing(browser, posted, viewport={"width": 900, "height": 1400}) as viewer:
        await expect(viewer.page.locator(".rows tr")).to_have_count(len(TEXTS) + len(TAGS))
        shown = {row.valor for row in await viewer.rows()}
        assert {_in_cell(text) for text in TEXTS} <= shown
        for text in TEXTS:
            await opens_in_full(viewer, text)
        assert await viewer.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page grew wider"
        await is_untouched(viewer.page)


def _in_cell(text: str) -> str:
    """The beginning of a long text; JavaScript counts characters in UTF-16."""
    units = text.encode("utf-16-le")
    return text if len(units) <= 480 else f"{units[:480].decode('utf-16-le')}…"


async def opens_in_full(viewer: Viewer, text: str) -> None:
    place = [row.valor for row in await viewer.rows()].index(_in_cell(text))
    await viewer.page.locator(".rows button").nth(place).click()
    assert await viewer.page.locator("dialog [data-field=valor]").evaluate("(pre) => pre.textContent") == text
    await viewer.page.locator("dialog [name=close]").click()


@pytest.mark.parametrize("text", [TEXTS[1], TEXTS[5], TEXTS[7], TEXTS[12]], ids=["img", "svg", "iframe", "bidi"])
async def test_a_text_in_the_address_is_a_filter_and_nothing_else(
    browser: Browser, service: ClientSession, text: str
) -> None:
    names = "&".join(f"{name}={quote(text)}" for name in ("text", "sensor", "path", "range", "status"))
    async with viewing(browser, service, f"?{names}#{quote(text)}", unanswered=True, viewport=ALL_BESIDES) as viewer:
        await viewer.says("#connection", "not asked")
        await expect(viewer.page.locator("#banner")).to_contain_text("These filters cannot be used")
        await expect(viewer.page.locator("#graph .note")).to_contain_text("Not up to date: path")
        await expect(viewer.page.locator(".chips button")).to_have_count(1)
        await is_untouched(viewer.page)
    async with viewing(browser, service, f"?text={quote(text)}") as viewer:
        await viewer.says("#connection", "live")
        await post(service, [event(f"before {text} after")])
        await viewer.sees(f"before {text} after")
        await is_untouched(viewer.page)


async def test_names_of_the_language_are_names_like_others(browser: Browser, posted: ClientSession) -> None:
    paths = "&".join(f"path={quote(tag)}" for tag in TAGS)
    async with viewing(browser, posted, f"?{paths}", viewport={"width": 1280, "height": 1200}) as viewer:
        page = viewer.page
        await expect(page.locator(".summary tbody tr")).to_have_count(len(TAGS))
        await expect(page.locator(".summary tbody td:last-child")).to_have_text(["1"] * len(TAGS))
        assert await page.locator(".chips button").all_text_contents() == TAGS
        regions = sorted({tag.rpartition(".")[0] for tag in TAGS} | {"brasil.sudeste"})
        await expect(page.locator(".bars tbody th")).to_have_count(len(regions))
        assert sorted(await page.locator(".bars tbody th").all_text_contents()) == regions
        for summary in await page.locator(".tree summary").all():
            await summary.click()
        await expect(page.locator(".tree li")).to_have_count(len(TAGS) + 1)
        lines = await page.locator(".tree li").all_text_contents()
        assert sorted(lines) == sorted([*(f"{tag} - 1" for tag in TAGS), f"brasil.sudeste.sensor01 - {len(TEXTS)}"])
        await page.locator("[name=sensor]").first.focus()
        offered = await page.locator("#filter-sensor-names option").evaluate_all("(all) => all.map((one) => one.value)")
        assert set(offered) == {tag.rpartition(".")[2] for tag in TAGS} | {"sensor01"}
        await is_untouched(page)


async def test_the_tooltip_of_the_graph_shows_names_as_text(browser: Browser, posted: ClientSession) -> None:
    async with viewing(browser, posted, "?path=__proto__.constructor.toString", viewport=ALL_BESIDES) as viewer:
        await expect(viewer.page.locator(".summary tbody tr")).to_have_count(1)
        await viewer.page.wait_for_function("window.Plotly && document.querySelector('.plot').data?.length")
        await viewer.page.evaluate(_HOVER)
        await expect(viewer.page.locator(".hoverlayer")).to_contain_text("__proto__.constructor.toString")
        await is_untouched(viewer.page)


async def test_what_a_server_says_of_its_trouble_is_text(browser: Browser, service: ClientSession) -> None:
    evil = "<img src=x onerror=window.ran=1>"
    async with viewing(browser, service, unanswered=True, viewport=ALL_BESIDES) as viewer:
        await viewer.says("#connection", "live")
        body = json.dumps({"code": evil, "message": evil, "ready": False, "reasons": [evil], "warnings": [evil]})
        for path in ("**/counts?*", "**/ready?*", "**/series?*"):
            await viewer.page.route(path, lambda route: route.fulfill(status=503, body=body))
        await expect(viewer.page.locator("#counts .note")).to_contain_text(evil, timeout=15_000)
        await expect(viewer.page.locator("#banner")).to_contain_text(evil, timeout=15_000)
        await is_untouched(viewer.page)
