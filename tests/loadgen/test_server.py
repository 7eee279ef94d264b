"""GET /generate/100, over real sockets on both sides."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from loadgen.server import application
from tests.loadgen.service import Service


@asynccontextmanager
async def generator(target_url: str) -> AsyncIterator[Callable[[str], Coroutine[Any, Any, tuple[int, dict[str, Any]]]]]:
    runner = web.AppRunner(application(target_url))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async with aiohttp.ClientSession() as session:

        async def get(path: str) -> tuple[int, dict[str, Any]]:
            async with session.get(url + path) as response:
                return response.status, await response.json()

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


async def test_health_answers_and_sends_nothing(service: Service) -> None:
    async with generator(service.url) as get:
        assert await get("/health") == (200, {"status": "pass"})
    assert service.posts == 0


async def test_two_calls_share_no_event(service: Service) -> None:
    async with generator(service.url) as get:
        await get("/generate/250")
        await get("/generate/250")
    assert len({(row["timestamp"], row["tag"]) for row in service.rows}) == 500


@pytest.mark.parametrize("count", ["0", "-1", "100001", "many", "1.5", "١٠", "9" * 5000])
async def test_nonsense_is_refused_with_an_example(service: Service, count: str) -> None:
    async with generator(service.url) as get:
        status, answer = await get(f"/generate/{count}")
    assert (status, service.posts) == (400, 0), answer
    assert "for example /generate/100" in answer["error"]


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
