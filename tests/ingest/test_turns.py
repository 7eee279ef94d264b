import asyncio
import io
import json
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, make_mocked_request
from yarl import URL

from ingest.access.client import Client, Right
from ingest.access.guard import CLIENT
from ingest.errors import TooManyReads
from ingest.metrics import Metrics
from ingest.routes.answers import errors_as_json
from ingest.routes.series import SeriesRoutes
from ingest.routes.turns import MOST_WRITES, Turns
from ingest.settings import Settings
from ingest.store.embedded import EmbeddedStore
from tests.ingest.service import serving

JSON = {"Content-Type": "application/json"}
TEXT = "x" * 60_000
EVENTS = 600


async def test_who_waits_too_long_for_a_turn_is_told() -> None:
    turns = Turns(most_reads=1, wait_seconds=0.05)
    async with turns.reading(of("a")):
        with pytest.raises(TooManyReads):
            async with turns.reading(of("b")):
                pass
    async with turns.reading(of("b")):
        pass


def of(name: str, path: str = "/counts") -> web.Request:
    request = make_mocked_request("GET", path)
    request[CLIENT] = Client(name, Right.READ)
    return request


async def test_who_asks_for_everything_waits_for_itself_and_another_goes_first() -> None:
    turns, order = Turns(most_reads=2, wait_seconds=20), list[str]()
    go_on = asyncio.Event()

    async def read(name: str) -> None:
        async with turns.reading(of(name)):
            order.append(name)
            await go_on.wait()

    reads = [asyncio.create_task(read(name)) for name in "aaaab"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["a", "b"]
    reads[1].cancel()
    go_on.set()
    await asyncio.gather(*reads, return_exceptions=True)
    assert order == ["a", "b", "a", "a"]
    async with asyncio.timeout(20), turns.reading(of("a")), turns.reading(of("b")):
        pass


async def test_of_one_clients_reads_those_of_another_route_come_first() -> None:
    turns, order = Turns(most_reads=4, wait_seconds=20), list[str]()

    async def read(path: str) -> None:
        async with turns.reading(of("a", path)):
            order.append(path)
            await asyncio.sleep(0.01)

    await asyncio.gather(*(read(path) for path in ["/series"] * 4 + ["/get_data"]))
    assert order == ["/series", "/series", "/get_data", "/series", "/series"]


async def test_of_too_many_who_wait_the_newest_of_the_greediest_is_refused() -> None:
    turns = Turns(most_reads=1, most_waiting=2, wait_seconds=20)
    async with turns.reading(of("a")):
        waits = [asyncio.create_task(once(turns, name)) for name in "aab"]
        await asyncio.sleep(0.05)
        assert [wait.done() for wait in waits] == [False, True, False]
        assert isinstance(waits[1].exception(), TooManyReads)
    await asyncio.gather(waits[0], waits[2])


async def once(turns: Turns, name: str) -> None:
    async with turns.reading(of(name)):
        pass


async def test_many_who_read_nothing_keep_nobody_from_reading_and_hold_bounded_memory(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        for first in range(0, EVENTS, 100):
            await post(client, first, 100)
        before = psutil.Process().memory_info().rss
        url = client._base_url
        assert url is not None
        stuck = [await asyncio.open_connection(url.host, url.port, limit=2**16) for _ in range(3 * MOST_WRITES)]
        try:
            for _, writer in stuck:
                writer.write(b"GET /get_data?limit=100000 HTTP/1.1\r\nHost: p\r\n\r\n")
            async with asyncio.timeout(60):
                for _ in range(5):
                    async with client.get("/get_data", params={"limit": 20}) as answer:
                        assert (await answer.json())["events"]
                    await asyncio.sleep(0.05)
            assert psutil.Process().memory_info().rss - before < 300 * 2**20
        finally:
            for _, writer in stuck:
                writer.transport.abort()


async def post(client: ClientSession, first: int, number: int) -> None:
    events = [
        {"timestamp": 1_539_112_021_301 + index, "tag": "brasil.sul.s1", "valor": TEXT}
        for index in range(first, first + number)
    ]
    async with client.post("/events", data=io.BytesIO(json.dumps(events).encode()), headers=JSON) as answer:
        assert answer.status == 202, await answer.text()


async def test_a_long_answer_has_every_event_once_however_short_its_pages(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        for first in range(0, 200, 100):
            await post(client, first, 100)
        async with client.get("/get_data", params={"limit": 100_000}) as answer:
            body = await answer.json()
        assert [event["timestamp"] - 1_539_112_021_301 for event in body["events"]] == list(range(199, -1, -1))
        assert body["cursor"] is None
        seen: list[int] = []
        path = "/get_data?limit=150"
        while path:
            async with client.get(path, headers={"Accept": "text/csv"}) as answer:
                seen += [int(row.partition(",")[0]) for row in (await answer.text()).splitlines()[1:]]
                path = str(URL(answer.links["next"]["url"]).relative()) if "next" in answer.links else ""
        assert [time - 1_539_112_021_301 for time in seen] == list(range(199, -1, -1))


async def test_a_graph_waits_for_its_turn(tmp_path: Path) -> None:
    store, turns = EmbeddedStore(tmp_path, Metrics()), Turns(most_reads=1, wait_seconds=0.05)
    application = web.Application(middlewares=[errors_as_json])
    application.add_routes(SeriesRoutes(store, lambda: 1_539_112_021_301, turns).routes())
    async with TestServer(application) as server, ClientSession(server.make_url("/")) as client:
        async with turns.reading(of("a")), client.get("/series", params={"path": "brasil"}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (503, "too_many_reads")
        async with client.get("/series", params={"path": "brasil"}) as answer:
            assert answer.status == 200
    await store.close()
