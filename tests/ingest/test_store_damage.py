"""A damaged file of the embedded store: it is told with the way out, and the service lives."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from ingest.__main__ import main
from ingest.settings import Settings
from ingest.sqlite import connect
from ingest.store.embedded import FILE_NAME
from tests.ingest.service import put, serving

EVENT = {"timestamp": 1_600_000_000_000, "tag": "a.b.c", "valor": "1"}


START_MS = 1_600_000_000_001


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with events in its log, as after a crash."""

    async def fill() -> None:
        async with serving(Settings(port=0, data_dir=tmp_path / "living")) as client:
            await put(client, *((START_MS + i, f"a.b.s{i % 50}", "x" * 90) for i in range(3000)))
            shutil.copytree(tmp_path / "living", tmp_path / "data")

    asyncio.run(fill())
    return tmp_path / "data"


async def answers(client: ClientSession) -> list[tuple[int, Any]]:
    """Of readiness, of a write and of a read."""
    found = []
    for method, path, body in (("GET", "/ready", None), ("POST", "/events", EVENT), ("GET", "/get_data", None)):
        async with client.request(method, path, json=body) as answer:
            found.append((answer.status, await answer.json()))
    return found


def break_header(path: Path) -> None:
    path.write_bytes(b"x" * 4096 + path.read_bytes()[4096:])


def cut(path: Path) -> None:
    with connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path.write_bytes(path.read_bytes()[: 20 * 4096])


def break_log(path: Path) -> None:
    log = path.with_name(FILE_NAME + "-wal")
    data = bytearray(log.read_bytes())
    data[5000] ^= 1
    log.write_bytes(data)


def flip(path: Path) -> None:
    with connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = bytearray(path.read_bytes())
    for at in range(20_000, len(data), 10_001):
        data[at] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [break_header, cut, break_log])
async def test_a_damaged_store_is_told_with_the_way_out_and_nothing_is_acked(folder: Path, damage: Any) -> None:
    damage(folder / FILE_NAME)
    before = (folder / FILE_NAME).read_bytes()
    async with serving(Settings(port=0, data_dir=folder)) as client:
        (ready, why), (write, _), (read, _) = await answers(client)
        assert (ready, write, read) == (503, 503, 503)
        assert "events.db is damaged (" in why["reasons"][0]
        assert f"`ingest recover --data-dir {folder}`" in why["reasons"][0]
        async with client.get("/health") as answer:
            assert answer.status == 200
    assert (folder / FILE_NAME).read_bytes() == before, "what may hold years is not touched"


@pytest.mark.parametrize(("damage", "least"), [(break_header, 3000), (cut, 100), (break_log, 2900), (flip, 2900)])
def test_the_way_out_saves_what_is_whole(
    folder: Path, damage: Any, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder / FILE_NAME)
    assert main(["recover", "--data-dir", str(folder)]) == 0
    said = capsys.readouterr().out
    assert least <= int(said.split()[0]) <= 3000, said

    async def read() -> list[Any]:
        async with serving(Settings(port=0, data_dir=folder)) as client:
            (ready, _), (write, _), _ = await answers(client)
            assert (ready, write) == (200, 202)
            async with client.get("/get_data", params={"limit": 5000}) as answer:
                return list((await answer.json())["events"])

    events = asyncio.run(read())
    assert {event["valor"] for event in events} <= {"x" * 90, "1"}
    assert all(
        event["tag"] == f"a.b.s{(event['timestamp'] - START_MS) % 50}" for event in events if len(event["valor"]) > 1
    )


async def test_a_page_that_breaks_while_the_service_runs_is_told(folder: Path) -> None:
    with connect(folder / FILE_NAME) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'events'").fetchone()
    connection.close()
    async with serving(Settings(port=0, data_dir=folder)) as client:
        data = bytearray((folder / FILE_NAME).read_bytes())
        data[(root - 1) * 4096 : root * 4096] = bytes(4096)
        (folder / FILE_NAME).write_bytes(data)
        for _ in range(2):
            (ready, why), _, (read, _) = await answers(client)
        assert (ready, read) == (503, 503)
        assert "is damaged" in why["reasons"][0]
