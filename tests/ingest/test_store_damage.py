"""A damaged file of the embedded store: it is told with the way out, and the service lives."""

import asyncio
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from ingest.__main__ import main
from ingest.salvage.stored_events import events_in
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


@pytest.mark.parametrize("damage", [break_header, cut])
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


async def test_behind_a_break_of_the_log_nothing_is_thrown_away_and_the_store_lives(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A power cut inside a commit leaves such a log; a bad disk, too."""
    break_log(folder / FILE_NAME)
    async with serving(Settings(port=0, data_dir=folder)) as client:
        (ready, why), (write, _), (read, _) = await answers(client)
        assert (ready, write, read) == (200, 202, 200)
        assert "`ingest recover`" in why["warnings"][0]
        # A sensor that was behind the break: its id is another's now.
        await put(client, *((START_MS + i, f"a.b.new{i}", "y" * 90) for i in range(60)))
    assert await asyncio.to_thread(main, ["recover", "--data-dir", str(folder)]) == 0
    assert 2900 + 61 <= int(capsys.readouterr().out.split("events are saved")[0].split()[-1]) <= 3061
    async with serving(Settings(port=0, data_dir=folder)) as client:
        (ready, why), *_ = await answers(client)
        assert (ready, why["warnings"]) == (200, [])
        async with client.get("/get_data", params={"limit": 5000}) as answer:
            events = (await answer.json())["events"]
    assert all(event["tag"] == sent_as(event) for event in events)


def sent_as(event: dict[str, Any]) -> str:
    number = event["timestamp"] - START_MS
    return {"x": f"a.b.s{number % 50}", "y": f"a.b.new{number}", "1": "a.b.c"}[event["valor"][0]]


def test_a_whole_store_has_no_altered_events(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recover", "--data-dir", str(folder)]) == 0
    assert capsys.readouterr().out.startswith(f"3000 events are saved in {folder / FILE_NAME}, 0 were altered")


def test_recover_changes_nothing_while_the_log_of_the_new_file_is_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Renamed without its log, the new file would be short of what is in that."""
    before = (folder / FILE_NAME).read_bytes()
    opened: list[sqlite3.Connection] = []

    def hold() -> None:
        while not (found := list(folder.glob(f"recover-*/{FILE_NAME}-wal"))):
            time.sleep(0.001)
        opened.append(connect(found[0].with_name(FILE_NAME)))
        opened[0].execute("SELECT * FROM sqlite_schema").fetchall()

    holder = threading.Thread(target=hold)
    holder.start()
    assert main(["recover", "--data-dir", str(folder)]) == 1
    holder.join()
    opened[0].close()
    assert "its log is still there; nothing was changed" in capsys.readouterr().err
    assert (folder / FILE_NAME).read_bytes() == before


def test_the_index_of_tags_stands_in_for_a_broken_table_of_sensors(tmp_path: Path) -> None:
    async def fill() -> None:
        async with serving(Settings(port=0, data_dir=tmp_path)) as client:
            await put(client, *((START_MS + i, f"brasil.sudeste.sensor{i % 300:03}", "x") for i in range(3000)))

    asyncio.run(fill())
    path = tmp_path / FILE_NAME
    with connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'sensors'").fetchone()
    connection.close()
    data = bytearray(path.read_bytes())
    page = data[(root - 1) * 4096 : root * 4096]
    first = int.from_bytes(page[12:14], "big")
    leaf = int.from_bytes(page[first : first + 4], "big")
    data[(leaf - 1) * 4096 : leaf * 4096] = bytes(4096)
    path.write_bytes(data)
    assert len({event for event in events_in(path) if event}) == 3000


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
