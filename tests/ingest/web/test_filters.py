"""What the table shows by country, region, sensor, status and text, and that a link brings it back."""

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from tests.ingest.web.posting import Event, event, now_ms, post, shown
from tests.ingest.web.viewer import Shown, viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")


def mixed() -> list[Event]:
    now = now_ms()
    tags = ["brasil.sudeste.sensor01", "brasil.sul.sensor01", "peru.sul.sensor02"]
    valores = ["23.5", "parado", ""]
    return [event(valores[i % 3], tags[i // 3 % 3], now - i) for i in range(45)]


@pytest.mark.parametrize(
    "chosen",
    [
        {"country": "peru"},
        {"region": "sul"},
        {"sensor": "sensor01"},
        {"status": "erro"},
        {"text": "PARA"},
        {"region": "sul", "status": "processado", "text": "23"},
    ],
    ids=str,
)
async def test_a_link_with_filters_shows_what_they_say_now_and_later(
    browser: Browser, service: ClientSession, chosen: dict[str, str]
) -> None:
    events = mixed()
    await post(service, events)
    query = "&".join(f"{name}={value}" for name, value in chosen.items())
    async with viewing(browser, service, f"?{query}", viewport={"width": 900, "height": 1600}) as viewer:
        await expect(viewer.page.locator(".rows tr").first).to_be_visible()
        await viewer.says(".foot", "That is all: no older events.")
        assert await viewer.rows() == [row for row in shown(events) if _matches(row, chosen)]
        newer = [each | {"timestamp": now_ms() + number} for number, each in enumerate(events)]
        await post(service, newer)
        last = next(row for row in shown(newer) if _matches(row, chosen))
        await expect(viewer.page.locator(".rows time").first).to_have_attribute("title", last.time)
        read = [row for row in shown(newer) + shown(events) if _matches(row, chosen)]
        assert await viewer.rows() == read[: len(await viewer.rows())]


def _matches(row: Shown, chosen: dict[str, str]) -> bool:
    country, region, sensor = row.tag.split(".")
    parts = {"country": country, "region": region, "sensor": sensor, "status": row.status}
    text = f"{row.tag}\n{row.valor}".lower()
    return all(parts[name] == value if name in parts else value.lower() in text for name, value in chosen.items())


async def test_typing_filters_and_the_address_keeps_them(browser: Browser, service: ClientSession) -> None:
    await post(service, mixed())
    async with viewing(browser, service, "?range=3600000") as viewer:
        await viewer.sees("parado")
        sensor = viewer.page.get_by_label("sensor", exact=True)
        await expect(viewer.page.locator("#filter-sensor-names option")).to_have_count(0)
        await viewer.says("#counts > .note", "45 events of 3 sensors in 3 regions.")
        await sensor.focus()
        names = await viewer.page.locator("#filter-sensor-names option").evaluate_all(
            "all => all.map(one => one.value)"
        )
        assert names == ["sensor01", "sensor02"]
        await sensor.fill("peru.sul.sensor02")
        await expect(viewer.page.locator(".rows td.tag", has_text="brasil")).to_have_count(0)
        for label, value in (("country", "peru"), ("region", "sul"), ("sensor", "sensor02")):
            await expect(viewer.page.get_by_label(label, exact=True)).to_have_value(value)
        assert viewer.page.url.endswith("?range=3600000&country=peru&region=sul&sensor=sensor02")
        await viewer.page.reload()
        await viewer.sees("parado", seconds=5)
        await expect(viewer.page.locator(".rows td.tag", has_text="brasil")).to_have_count(0)
        await viewer.page.get_by_role("button", name="Clear", exact=True).click()
        await expect(viewer.page.locator(".rows td.tag", has_text="brasil").first).to_be_visible()
        assert viewer.page.url.endswith("?range=3600000")


async def test_filters_without_a_match_say_so_and_show_the_first_that_comes(
    browser: Browser, service: ClientSession
) -> None:
    await post(service, mixed())
    async with viewing(browser, service, "?text=enchente") as viewer:
        await expect(viewer.page.get_by_text("No event matches these filters.")).to_be_visible()
        await post(service, [event("enchente no rio")])
        await viewer.sees("enchente no rio")
        await expect(viewer.page.get_by_text("No event matches these filters.")).to_be_hidden()


async def test_an_old_match_is_found_below_many_events_that_are_none(browser: Browser, service: ClientSession) -> None:
    now = now_ms()
    await post(service, [event("agulha", timestamp=now - 10**8)])
    for part in range(3):
        await post(service, [event(f"{i}", timestamp=now - part * 10_000 - i) for i in range(10_000)])
    async with viewing(browser, service, "?text=agulha") as viewer:
        await viewer.sees("agulha", seconds=10)
        await viewer.says(".foot", "That is all: no older events.")


@pytest.mark.parametrize(
    ("link", "reason"),
    [("?region=a%20b", "region may hold only letters, digits"), ("?status=foo", "status is processado or erro")],
)
async def test_filters_that_cannot_be_used_are_explained_and_cleared(
    browser: Browser, service: ClientSession, link: str, reason: str
) -> None:
    await post(service, [event("1")])
    async with viewing(browser, service, link, unanswered=True) as viewer:
        await expect(viewer.page.get_by_role("alert")).to_contain_text(reason)
        await viewer.page.get_by_role("button", name="Clear", exact=True).click()
        await expect(viewer.page.get_by_role("button", name="Clear", exact=True)).to_be_hidden()
        await viewer.sees("1", seconds=5)
        await expect(viewer.page.get_by_role("alert")).to_be_hidden()


async def test_an_event_opens_in_full_and_leads_to_those_of_its_sensor(
    browser: Browser, service: ClientSession
) -> None:
    events = mixed()
    long = "x" * 5000
    await post(service, [*events, event(long, "brasil.sul.sensor77", now_ms() + 1000)])
    async with viewing(browser, service) as viewer:
        await viewer.sees("x" * 240 + "…", seconds=5)
        await viewer.page.get_by_role("button", name="brasil.sul.sensor77").click()
        await viewer.says("dialog [data-field=valor]", long)
        await viewer.page.get_by_role("button", name="Only this region").click()
        await expect(viewer.page.locator(".rows td.tag", has_text="sudeste")).to_have_count(0)
        assert viewer.page.url.endswith("?country=brasil&region=sul")
