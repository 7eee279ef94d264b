"""Anybody may ask whether the service is ready: that asks the store once a second at most."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from ingest.routes.service import ServiceRoutes


class Store:
    """Says what is wrong with it, slowly, and counts how often it was asked and by how many at a time."""

    def __init__(self) -> None:
        self.asked = self.at_once = self.most_at_once = 0
        self.reasons: list[str] = []

    async def trouble(self) -> list[str]:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.1)
        self.at_once -= 1
        return list(self.reasons)


async def no_metrics() -> bytes:
    return b""


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def client(store: Store) -> AsyncIterator[ClientSession]:
    application = web.Application()
    application.add_routes(ServiceRoutes(no_metrics, store.trouble, list).routes())
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
        yield client
    await runner.cleanup()


async def status(client: ClientSession) -> int:
    async with client.get("/ready") as answer:
        return answer.status


async def test_many_who_ask_are_one_question_and_the_answer_grows_old(client: ClientSession, store: Store) -> None:
    assert set(await asyncio.gather(*(status(client) for _ in range(50)))) == {200}
    assert (await status(client), store.asked, store.most_at_once) == (200, 1, 1)
    store.reasons = ["InfluxDB is away"]
    async with asyncio.timeout(20):
        while await status(client) == 200:
            await asyncio.sleep(0.05)
    assert store.asked == 2


async def test_who_hangs_up_takes_the_answer_from_nobody(client: ClientSession, store: Store) -> None:
    first, second = asyncio.create_task(status(client)), asyncio.create_task(status(client))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await second == 200
    assert store.asked == 1
