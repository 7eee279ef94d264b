"""GET /generate/100, over real sockets on both sides."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import pytest
from aiohttp import web

from loadgen.server import MOST_CALLS, application
from tests.loadgen.service import Service


class Get(Protocol):
    async def __call__(
        self, path: str, *, method: str = "GET", site: str = "none", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]: ...


@asynccontextmanager
async def generator(target_url: str) -> AsyncIterator[Get]:
    runner = web.AppRunner(application(target_url))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async with aiohttp.ClientSession() as session:

        async def get(
            path: str, *, method: str = "GET", site: str = "none", headers: Mapping[str, str] | None = None
        ) -> tuple[int, Any]:
            sent = {"Sec-Fetch-Site": site, **(headers or {})}
            async with session.request(method, url + path, headers=sent) as response:
                assert response.headers["Server"] == "loadgen"
                return response.status, await response.json() if method != "HEAD" else None

        try:
            yield get
        finally:
            await runner.cleanup()


async def test_a_hundred_events_reach_ingest(service: Service) -> None:
    async with generator(service.url) as get:
        status, answer = await get("/generate/100")
    assert (status, answer["sent"], answer["acked"], answer["failed"]) == (200, 100, 100, 0), answer
    assert answer["seconds"] >= 0
    assert (len(service.rows), service.posts) == (100, 100)
    assert len(service.connections) > 1, "they are posted in parallel"


async def test_a_page_of_another_site_has_nothing_generated(service: Service) -> None:
    async with generator(service.url) as get:
        for site in ("cross-site", "same-site"):
            status, answer = await get("/generate/100", site=site)
            assert (status, answer["error"]) == (
                403,
                "a page of another site may not have a browser do this; type the address",
            )
    assert service.posts == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.org"},
        {"Host": "evil.example.org:3000"},
        {"Host": "127.0.0.1.evil.example.org"},
        {"Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Dest": "iframe"},
        {"Origin": "http://evil.example.org"},
        {"Origin": "null"},
        {"Referer": "http://evil.example.org/page"},
    ],
)
async def test_no_name_or_sign_of_another_page_is_let_in(service: Service, headers: Mapping[str, str]) -> None:
    async with generator(service.url) as get:
        assert (await get("/generate/10", headers=headers))[0] == 403
    assert service.posts == 0


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "[::1]:3000", "localhost:3000", "generator:3000", "a.localhost"])
async def test_its_own_names_are_let_in(service: Service, host: str) -> None:
    async with generator(service.url) as get:
        assert (await get("/generate/10", headers={"Host": host, "Sec-Fetch-Dest": "document"}))[0] == 200


async def test_what_is_no_http_leaves_no_line(service: Service, nobody_url: str) -> None:
    async with command(service.url, nobody_url) as process:
        for garbage in (b"\x16\x03\x01\0\0\r\n\r\n", b"GET / HTTP/9.x\r\n\r\n", b"GET / HTTP/1.1\r\nA\0: b\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(nobody_url.rsplit(":", 1)[1]))
            writer.write(garbage)
            assert b"400" in await asyncio.wait_for(reader.readline(), 20)
            writer.close()
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert err == b""


async def test_health_answers_and_sends_nothing(service: Service) -> None:
    async with generator(service.url) as get:
        assert await get("/health") == (200, {"status": "pass"})
    assert service.posts == 0


async def test_two_calls_share_no_event(service: Service) -> None:
    async with generator(service.url) as get:
        await get("/generate/250")
        await get("/generate/250")
    assert len({(row["timestamp"], row["tag"]) for row in service.rows}) == 500


@pytest.mark.parametrize("count", ["0", "-1", "100001", "999999999", "many", "1.5", "1e3", "١٠", "9" * 5000, ""])
async def test_nonsense_is_refused_with_an_example(service: Service, count: str) -> None:
    async with generator(service.url) as get:
        status, answer = await get(f"/generate/{count}")
    assert (status, service.posts) == (400, 0), answer
    assert "for example /generate/100" in answer["error"]


async def test_no_count_at_all_is_refused_too(service: Service) -> None:
    async with generator(service.url) as get:
        status, answer = await get("/generate")
    assert (status, service.posts) == (400, 0), answer


async def test_other_paths_and_methods_are_answered_with_a_hint(service: Service) -> None:
    async with generator(service.url) as get:
        assert await get("/nope") == (404, {"error": "/nope is not here; try /generate/100"})
        status, answer = await get("/generate/10", method="POST")
        assert (status, answer["error"]) == (405, "POST is not for /generate/10; try GET /generate/100")


async def test_head_posts_nothing(service: Service) -> None:
    async with generator(service.url) as get:
        assert await get("/generate/10", method="HEAD") == (405, None)
    assert service.posts == 0


async def test_too_many_calls_at_a_time_are_told_to_come_again(service: Service) -> None:
    service.delay_seconds = 0.5
    async with generator(service.url) as get:
        calls = [asyncio.create_task(get("/generate/10")) for _ in range(MOST_CALLS)]
        await service.heard(10 * MOST_CALLS)
        status, answer = await get("/generate/10")
        assert (status, "try again" in answer["error"]) == (429, True), answer
        assert [(await call)[0] for call in calls] == [200] * MOST_CALLS
        assert (await get("/generate/10"))[0] == 200


async def test_ingest_away_is_a_bad_gateway_with_the_reason(nobody_url: str) -> None:
    async with generator(nobody_url) as get:
        status, answer = await get("/generate/100")
    assert status == 502
    assert nobody_url in answer["error"]
    assert "refused" in answer["error"].lower()


async def test_ingest_that_takes_nothing_is_a_bad_gateway_too(service: Service) -> None:
    service.status = 503
    async with generator(service.url) as get:
        status, answer = await get("/generate/10")
    assert status == 502
    assert "HTTP 503" in answer["error"]


async def test_rejected_events_are_counted_as_failed_with_their_reason(service: Service) -> None:
    service.reject_valor = ""
    async with generator(service.url) as get:
        status, answer = await get("/generate/2000")
    empty = 2000 - len(service.rows)
    assert empty > 0
    assert (status, answer["failed"], answer["errors"]) == (200, empty, {"unloved": empty}), answer


@asynccontextmanager
async def command(target_url: str, url: str) -> AsyncIterator[Process]:
    """``loadgen serve`` on ``url``, ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadgen", "serve", "--target", target_url, "--port", url.rsplit(":", 1)[1]),
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdout is not None
    try:
        assert f"try {url}/generate/100" in (await process.stdout.readline()).decode()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_who_hangs_up_wants_no_more_events(service: Service, nobody_url: str) -> None:
    service.delay_seconds = 0.05
    async with command(service.url, nobody_url), aiohttp.ClientSession() as session:
        call = asyncio.create_task(session.get(f"{nobody_url}/generate/100000"))
        await service.heard(200)
        call.cancel()
        await asyncio.sleep(0.5)
        posts = service.posts
        await asyncio.sleep(0.5)
        assert service.posts == posts, "still posting"
        assert posts < 100_000
        async with session.get(f"{nobody_url}/generate/10") as response:
            assert response.status == 200, "its place is free again"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stopped_during_a_call_it_answers_what_was_sent(
    service: Service, nobody_url: str, number: signal.Signals
) -> None:
    service.delay_seconds = 0.05
    async with command(service.url, nobody_url) as process, aiohttp.ClientSession() as session:
        call = asyncio.create_task(session.get(f"{nobody_url}/generate/100000"))
        await service.heard(200)
        process.send_signal(number)
        async with await call as response:
            answer = await response.json()
        _, err = await asyncio.wait_for(process.communicate(), 10)
        assert (process.returncode, err) == (0, b"")
    assert (response.status, answer["asked"]) == (200, 100_000), answer
    assert answer["acked"] == answer["sent"] == len(service.rows) < 100_000, answer
