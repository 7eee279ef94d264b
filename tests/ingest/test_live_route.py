"""``GET /events/stream`` on the running service, read as a browser reads it."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from ingest.event import Event
from ingest.events import Events
from ingest.live.arrivals import Arrivals
from ingest.metrics import Metrics
from ingest.routes.answers import errors_as_json
from ingest.routes.live import MOST_WATCHERS, LiveRoutes
from ingest.routes.turns import Turns
from ingest.settings import Settings
from ingest.store.embedded import EmbeddedStore
from tests.ingest.service import influx_settings, put, serving, unreachable_influx_settings
from tools.influx_server import InfluxServer

START_MS = 1_539_112_021_301


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ClientSession]:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        yield client


@asynccontextmanager
async def stream(client: ClientSession, query: str = "", last_id: str = "") -> AsyncIterator[ClientResponse]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with client.get(f"/events/stream?{query}", headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        assert await answer.content.readuntil(b"\n\n") == b"retry: 1000\n\n"
        yield answer


async def frame(answer: ClientResponse) -> tuple[str, str, Any]:
    """The name, the id and the data of the next frame."""
    async with asyncio.timeout(5):
        text = (await answer.content.readuntil(b"\n\n")).decode()
    name, event_id, data = text.splitlines()[:3]
    return name.removeprefix("event: "), event_id.removeprefix("id: "), json.loads(data.removeprefix("data: "))


async def test_what_is_stored_and_what_arrives(client: ClientSession) -> None:
    await put(client, (START_MS, "a.b.c", "23.50"))
    async with stream(client) as answer:
        name, _, data = await frame(answer)
        (row,) = data["rows"]
        cursor = row.pop("cursor")
        assert (name, row) == (
            "snapshot",
            {"timestamp": START_MS, "tag": "a.b.c", "valor": "23.5", "status": "processado"},
        )
        started = time.monotonic()
        await put(client, (START_MS + 1, "a.b.c", ""), (START_MS - 1, "a.b.d", "<script>\n\nalert(1)"))
        name, _, data = await frame(answer)
        assert time.monotonic() - started < 2
        assert (name, data["arrived"]) == ("events", 2)
        assert [(row["tag"], row["valor"], row["status"]) for row in data["rows"]] == [
            ("a.b.c", "", "erro"),
            ("a.b.d", "<script>\n\nalert(1)", "processado"),
        ]
    async with client.get("/get_data", params={"cursor": cursor}) as answer:
        assert [row["tag"] for row in (await answer.json())["events"]] == ["a.b.d"]


async def test_a_lost_connection_goes_on_where_it_was(client: ClientSession) -> None:
    async with stream(client) as answer:
        _, last_id, _ = await frame(answer)
    await put(client, (START_MS, "a.b.c", "1"))
    async with stream(client, last_id=last_id) as answer:
        name, _, data = await frame(answer)
        assert (name, [row["valor"] for row in data["rows"]]) == ("events", ["1"])


@pytest.mark.parametrize("last_id", ["x", "deadbeef-0", "-", "deadbeef-٣", "deadbeef-" + "9" * 50])
async def test_an_id_of_another_process_begins_anew(client: ClientSession, last_id: str) -> None:
    async with stream(client, last_id=last_id) as answer:
        assert (await frame(answer))[0] == "snapshot"


async def test_a_filter(client: ClientSession) -> None:
    async with stream(client, "region=b&status=processado&text=ON") as answer:
        assert (await frame(answer))[2] == {"rows": [], "whole": True, "cursor": None}
        await put(client, (START_MS, "a.b.c", "on"), (START_MS, "a.x.c", "on"), (START_MS, "a.b.c", "off"))
        _, _, data = await frame(answer)
        assert [(row["tag"], row["valor"]) for row in data["rows"]] == [("a.b.c", "on")]
    async with client.get("/events/stream?status=x") as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "bad_parameter")


async def test_with_influxdb_an_event_is_seen_once_before_and_after_it_is_shipped(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    async with serving(influx_settings(tmp_path, influx_server, influx_bucket)) as client:
        for number in range(20):
            await put(client, (START_MS + number, "a.b.c", str(number)))
            async with stream(client) as answer:
                _, _, data = await frame(answer)
            assert [int(row["valor"]) for row in data["rows"]] == list(range(number, -1, -1))


async def test_a_store_that_is_away_is_told_and_what_arrives_is_shown(tmp_path: Path) -> None:
    async with serving(unreachable_influx_settings(tmp_path)) as client, stream(client) as answer:
        assert (await frame(answer))[0] == "snapshot"
        name, _, data = await frame(answer)
        assert (name, "does not answer" in data["message"]) == ("trouble", True)
        await put(client, (START_MS, "a.b.c", "1"))
        name, _, data = await frame(answer)
        assert (name, [row["valor"] for row in data["rows"]]) == ("events", ["1"])


async def test_one_watcher_too_many_is_refused_and_finds_room_when_another_leaves(client: ClientSession) -> None:
    answers = [await client.get("/events/stream") for _ in range(MOST_WATCHERS)]
    async with client.get("/events/stream") as refused:
        assert (refused.status, (await refused.json())["code"]) == (503, "too_many_watchers")
        assert refused.headers["Retry-After"]
    answers.pop().close()
    async with asyncio.timeout(5):
        while (again := await client.get("/events/stream")).status != 200:
            again.release()
    for answer in [*answers, again]:
        answer.close()


async def test_a_watcher_that_takes_nothing_loses_its_place(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals()
    live = LiveRoutes(store, arrivals, Turns(), most_watchers=1, stuck_seconds=0.5)
    application = web.Application(middlewares=[errors_as_json])
    application.add_routes(live.routes())
    application.on_shutdown.append(live.close)
    async with TestServer(application) as server, ClientSession(server.make_url("/")) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        writer.write(b"GET /events/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(20):
            while True:
                # More than what the buffers of both ends hold.
                arrivals.add(
                    Events.of([Event(START_MS, "a.b.c", f"{secrets.token_hex(4)}" * 8_000) for _ in range(200)])
                )
                await asyncio.sleep(0.3)
                async with client.get("/events/stream") as answer:
                    if answer.status == 200:
                        break
        writer.close()
    await store.close()


async def test_a_watcher_that_lost_an_unreadable_store_begins_anew(tmp_path: Path) -> None:
    async with serving(unreachable_influx_settings(tmp_path)) as client:
        async with stream(client) as answer:
            _, last_id, snapshot = await frame(answer)
        assert snapshot["whole"] is False
        async with stream(client, last_id=last_id) as answer:
            assert (await frame(answer))[0] == "snapshot"


async def test_stopping_ends_the_streams_at_once(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        answer = await client.get("/events/stream")
        await answer.content.readuntil(b"\n\n")
        started = time.monotonic()
    assert time.monotonic() - started < 1.5, "the service waited for a watcher"
    answer.close()
