"""The table of all events, as it is while events arrive."""

import asyncio
import time

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from tests.ingest.web.posting import Event, event, now_ms, post, shown, steadily
from tests.ingest.web.viewer import Viewer, viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Fewer steps to read thousands of rows.
TALL = {"width": 900, "height": 2000}


async def test_what_is_posted_appears_within_two_seconds_without_a_reload(
    browser: Browser, either: ClientSession
) -> None:
    await post(either, [event("before")])
    async with viewing(browser, either) as viewer:
        await viewer.sees("before", seconds=5)
        for number in range(3):
            posted = time.monotonic()
            await post(either, [event(f"new {number}")])
            await viewer.sees(f"new {number}")
            assert time.monotonic() - posted < 2
        assert [row.valor for row in await viewer.rows()] == ["new 2", "new 1", "new 0", "before"]


async def test_rows_are_in_order_of_time_not_of_arrival(browser: Browser, service: ClientSession) -> None:
    async with viewing(browser, service) as viewer:
        await viewer.says("#connection", "live")
        start = now_ms() - 60_000
        events = [event(f"{number}", timestamp=start + number) for number in (5, 1, 9, 3)]
        for each in events:
            await post(service, [each])
        await viewer.sees("3")
        assert await viewer.rows() == shown(events)


async def test_stored_text_is_shown_and_never_run(browser: Browser, service: ClientSession) -> None:
    scripts = ["<script>window.ran = 1</script>", "<img src=x onerror='window.ran = 1'>", "</td></table><b>bold"]
    await post(service, [event(valor, timestamp=now_ms() + i) for i, valor in enumerate(scripts)])
    async with viewing(browser, service) as viewer:
        for valor in scripts:
            await viewer.sees(valor)
        await viewer.page.locator(".rows button").first.click()
        await viewer.says("dialog [data-field=valor]", scripts[-1])
        assert await viewer.page.evaluate("window.ran") is None
        assert await viewer.page.locator("section b:not(.filters-in-words)").count() == 0


async def test_times_are_in_the_viewers_zone_with_utc_beside_them(browser: Browser, service: ClientSession) -> None:
    await post(service, [event("1", timestamp=1_539_112_021_301)])
    async with viewing(browser, service, timezone_id="America/Manaus") as viewer:
        await viewer.says(".rows time", "2018-10-09 15:07:01.301")
        await viewer.says("th.time", "time UTC−04:00")
        assert (await viewer.rows())[0].time == "2018-10-09T19:07:01.301Z"


async def test_pause_stands_still_counts_what_is_newer_and_goes_back_to_live(
    browser: Browser, service: ClientSession
) -> None:
    await post(service, [event("first")])
    async with viewing(browser, service) as viewer:
        await viewer.sees("first")
        await viewer.page.get_by_role("button", name="Pause").click()
        await post(service, [event(f"{number}", timestamp=now_ms() + number) for number in range(1234)])
        await viewer.says(".said", "paused: 1,234 newer events")
        assert [row.valor for row in await viewer.rows()] == ["first"]
        await viewer.page.get_by_role("button", name="Back to live").click()
        await viewer.sees("1233")


async def test_scrolling_down_pauses_and_the_top_is_live_again(browser: Browser, service: ClientSession) -> None:
    await post(service, [event(f"{number}", timestamp=now_ms() - number) for number in range(100)])
    async with viewing(browser, service) as viewer:
        await viewer.sees("0")
        await viewer.page.mouse.move(300, 500)
        await viewer.page.mouse.wheel(0, 400)
        await viewer.says(".said", "paused: 0 newer events")
        await post(service, [event("while away")])
        await viewer.says(".said", "paused: 1 newer event")
        await viewer.page.mouse.wheel(0, -2000)
        await viewer.sees("while away")
        await viewer.says(".said", "newest first, as they arrive")


async def test_reading_back_has_no_gap_and_no_repeat_while_events_arrive(
    browser: Browser, either: ClientSession
) -> None:
    sent: list[Event] = [event(f"old {number}", timestamp=now_ms() - 60_000 + number) for number in range(2200)]
    await post(either, sent)
    async with viewing(browser, either, viewport=TALL) as viewer:
        await viewer.sees("old 2199", seconds=5)
        async with steadily(either, sent, per_second=200):
            await expect(viewer.page.locator(".rows td.valor", has_text="live").first).to_be_visible()
            read = await viewer.read_all(2600)
        sent_by_then = [each for each in shown(sent) if each.time <= read[0].time]
        assert len(read) > 2200
        assert read == sent_by_then, f"{len(read)} rows of {len(sent_by_then)} events that were sent by then"
        newer = len(sent) - len(sent_by_then)
        await viewer.says(".said", f"paused: {newer:,} newer events")
        await viewer.page.get_by_role("button", name="Back to live").click()
        await viewer.sees(str(sent[-1]["valor"]))


async def test_more_at_once_than_a_frame_holds_leaves_no_gap_behind(browser: Browser, either: ClientSession) -> None:
    sent = [event(f"old {number}", timestamp=now_ms() - 60_000 + number) for number in range(50)]
    await post(either, sent)
    async with viewing(browser, either, viewport=TALL) as viewer:
        await viewer.sees("old 49", seconds=5)
        burst = [event(f"{number}", timestamp=now_ms() + number) for number in range(1500)]
        await post(either, burst)
        await viewer.sees("1499")
        assert await viewer.read_all(1550) == shown(sent + burst)


async def test_what_was_read_back_is_bounded_and_says_so(browser: Browser, service: ClientSession) -> None:
    now = now_ms()
    await post(service, [event(f"{number}", timestamp=now - number) for number in range(6000)])
    async with viewing(browser, service) as viewer:
        await viewer.sees("0")
        to_the_end = "() => { const s = document.querySelector('.scroller'); s.scrollTop = s.scrollHeight; }"
        async with asyncio.timeout(20):
            while not await viewer.valor("5999").count():
                await viewer.page.evaluate(to_the_end)
        await viewer.says(".said", "paused: 0 newer events, 1,000 rows above no longer here")
        assert (await viewer.rows())[-1].valor == "5999"
        assert await viewer.page.locator(".rows tr").count() < 60
        await viewer.page.get_by_role("button", name="Back to live").click()
        await viewer.sees("0")


async def test_the_document_stays_as_small_as_it_was_however_much_arrives(
    browser: Browser, service: ClientSession
) -> None:
    """For ten minutes at 1000 events/s: ``python -m benchmarks page_left_open --seconds 600``."""
    async with viewing(browser, service) as viewer:
        nodes = []
        for second in range(12):
            for part in range(4):
                start = now_ms()
                batch = [event(f"{second} {part} {i}", f"a.b.s{i}", start + i) for i in range(250)]
                await post(service, batch)
            await viewer.sees(f"{second} 3 249")
            await expect(viewer.page.locator("#counts > .note")).to_contain_text("250 sensors")
            nodes.append(await viewer.nodes())
        assert max(nodes) <= nodes[0] * 1.1, f"nodes after each 1000 events: {nodes}"


async def test_the_same_event_sent_again_is_still_one_row(browser: Browser, service: ClientSession) -> None:
    async with viewing(browser, service) as viewer:
        await viewer.says("#connection", "live")
        same = event("retried")
        await post(service, [same])
        await viewer.sees("retried")
        await post(service, [same, same])
        await post(service, [event("after")])
        await viewer.sees("after")
        assert [row.valor for row in await viewer.rows()] == ["after", "retried"]


async def test_two_spellings_of_a_number_in_one_millisecond_are_two_rows_as_they_are_two_events(
    browser: Browser, service: ClientSession
) -> None:
    async with viewing(browser, service) as viewer:
        await viewer.says("#connection", "live")
        at = now_ms()
        await post(service, [event("23.5", timestamp=at), event("23.50", timestamp=at)])
        await expect(viewer.valor("23.5")).to_have_count(2)


async def test_a_hidden_tab_draws_nothing_and_is_up_to_date_when_seen_again(
    browser: Browser, service: ClientSession
) -> None:
    async with viewing(browser, service) as viewer:
        await viewer.says("#connection", "live")
        await hide(viewer, hidden=True)
        await post(service, [event("unseen")])
        await viewer.page.wait_for_timeout(800)
        assert await viewer.rows() == []
        await hide(viewer, hidden=False)
        await viewer.sees("unseen")
        await viewer.says(".said", "paused for 1 second while hidden, live again")


async def test_a_tab_that_is_hidden_for_long_asks_for_nothing_until_it_is_seen(
    browser: Browser, service: ClientSession
) -> None:
    async with viewing(browser, service) as viewer:
        await viewer.page.clock.install()
        await viewer.page.reload()
        await viewer.says("#connection", "live")
        streams: list[str] = []
        viewer.page.on(
            "request", lambda request: streams.append(request.url) if "/events/stream" in request.url else None
        )
        viewer.page.on("requestfailed", lambda request: streams.append("closed") if "/stream" in request.url else None)
        await hide(viewer, hidden=True)
        await viewer.page.clock.fast_forward(31_000)
        async with asyncio.timeout(5):
            while not streams:
                await asyncio.sleep(0.05)
        assert streams == ["closed"]
        await post(service, [event("unseen")])
        await hide(viewer, hidden=False)
        await viewer.sees("unseen")
        assert len(streams) == 2


async def hide(viewer: Viewer, hidden: bool) -> None:
    """As if another tab came to the front: a headless browser has every tab in front."""
    script = """(hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    await viewer.page.evaluate(script, hidden)
