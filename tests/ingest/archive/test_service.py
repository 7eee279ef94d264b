"""The archive of a real service: killed under load, on a disk that fills, and read back into an empty store."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from aiohttp import ClientSession

from tests.faults.service import Service, served
from tests.ingest.archive.lines import Identity, identities, names, texts
from tests.ingest.service import influx_settings, serving
from tests.ingest.test_process import START_MS, event, options, run, wait_until_counted
from tests.ingest.test_service import counted
from tools.influx_server import InfluxServer, make_bucket

__all__ = ["options"]
NDJSON = {"Content-Type": "application/x-ndjson"}
TAGS = ("brasil.sudeste.sensor01", "brasil.sudeste.sensor02", "brasil.sul.sensor03", "brasil.sul.sensor04")


def identity_of(one: dict[str, Any]) -> Identity:
    return one["timestamp"], one["tag"], one["valor"]


def load(process: Service, sender: int, acked: list[Identity]) -> None:
    """Single events and small batches, one in seven an ``erro``, until the service is gone."""
    number = sender
    with suppress(OSError, urllib.error.URLError, json.JSONDecodeError):
        while True:
            numbers = range(number, number + (1 if sender % 2 else 50))
            events = [event(i) | ({"valor": ""} if i % 7 == 0 else {}) for i in numbers]
            if process.post(*events) == len(events):
                acked += map(identity_of, events)
            number += 1_000


def test_killed_under_load_the_archive_has_every_acked_event_and_no_torn_line(
    tmp_path: Path, options: Sequence[str]
) -> None:
    archive = tmp_path / "files"
    acked: list[Identity] = []
    for round_number in range(3):
        with served(tmp_path / "data", "--archive-dir", str(archive), *options) as process:
            senders = [
                threading.Thread(target=load, args=(process, 1_000_000 * round_number + sender, acked))
                for sender in range(4)
            ]
            for sender in senders:
                sender.start()
            time.sleep(0.4)
            process.stop(signal.SIGKILL)
            for sender in senders:
                sender.join()
    with served(tmp_path / "data", "--archive-dir", str(archive), *options) as process:
        archived = identities(archive)
        missing = set(acked) - set(archived)
        assert not missing, f"{len(missing)} of {len(acked)} acked events are not archived: {sorted(missing)[:5]}"
        assert {valor for _, _, valor in identities(archive, "error")} == {""}
        assert "" not in {valor for _, _, valor in identities(archive, "processed")}
        assert wait_until_counted(process, len(set(acked))) >= len(set(acked)) > 100


def test_on_a_full_disk_events_are_acked_and_archived_once_there_is_room(
    tmp_path: Path, options: Sequence[str]
) -> None:
    archive = tmp_path / "files"
    # What only the archive keeps makes its file, and no other, reach the limit: the spool's reserve has 16 MiB.
    padding = {"unknown_key": "x" * 4_000_000}
    long_lines = ["--max-line-bytes", "5000000"]
    with served(tmp_path / "data", "--archive-dir", str(archive), *long_lines, *options) as process:
        for number in range(5):
            assert process.post(event(number) | padding) == 1
        (file,) = archive.glob("processed/*.ndjson")
        limited = psutil.Process(process.popen.pid)
        before = limited.rlimit(psutil.RLIMIT_FSIZE)
        limited.rlimit(psutil.RLIMIT_FSIZE, (file.stat().st_size + 30, before[1]))
        for number in range(5, 30):
            assert process.post(event(number)) == 1
        assert len(identities(archive)) == 5
        ready = fetch(process, "/ready")
        assert ready["ready"] is True
        assert "processed events are not written" in ready["warnings"][0]
        limited.rlimit(psutil.RLIMIT_FSIZE, before)
        while fetch(process, "/ready")["warnings"]:
            time.sleep(0.05)
        assert process.post(event(30)) == 1
        assert identities(archive) == {identity_of(event(number)): 1 for number in range(31)}
    events = [entry["event"] for entry in process.log if entry["event"].startswith("archive")]
    assert events == ["archive_failing", "archive_writes_again"]


def fetch(process: Service, path: str) -> Any:
    with urllib.request.urlopen(process.url + path, timeout=20) as answer:
        return json.loads(answer.read())


async def test_every_format_is_archived_as_it_came_and_nothing_that_was_refused(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    settings = influx_settings(tmp_path, influx_server, influx_bucket, archive_dir=tmp_path / "files")
    async with serving(settings) as client:
        await sent(client, "/events", b'{"valor":1.50,\n"timestamp":1539112021301,"tag":"a.b.c","x":[1,2]}')
        await sent(client, "/events", b'[ {"timestamp":1539112021302,"tag":"a.b.c"} ,{"tag":1}]')
        two = b'{"timestamp":1539112021303,"tag":"a.b.c","valor":"\\u0041"}\r\n{"timestamp":1,"tag":"a.b.c"}\r\n'
        await sent(client, "/get_sensor", two, **NDJSON)
        await sent(client, "/api/v2/write?precision=ms", b"events,country=a,region=b,sensor=c value=2 1539112021304\n")
        await sent(client, "/write", b"weather temperature=3\n")
        assert texts(tmp_path / "files", "processed") == [
            b'{"valor":1.50, "timestamp":1539112021301,"tag":"a.b.c","x":[1,2]}',
            b'{"timestamp":1539112021303,"tag":"a.b.c","valor":"\\u0041"}',
            b'{"timestamp":1539112021304,"tag":"a.b.c","valor":"2"}',
        ]
        assert texts(tmp_path / "files", "error") == [b'{"timestamp":1539112021302,"tag":"a.b.c"}']


async def sent(client: ClientSession, path: str, body: bytes, **headers: str) -> None:
    async with client.post(path, data=body, headers={"Content-Type": "application/json"} | headers) as answer:
        assert answer.status in (202, 204), await answer.text()


async def test_replayed_into_an_empty_influxdb_the_archive_gives_the_same_counts(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    archive = tmp_path / "files"
    settings = influx_settings(tmp_path / "old", influx_server, influx_bucket, archive_dir=archive)
    async with serving(settings) as client:
        await post_numbers(client, range(1_000))
    for path in archive.glob("*/*.ndjson"):
        # As if their hour were long over: the next service compresses them.
        path.rename(path.with_name("2020-01-01T00.ndjson"))
    compressed = ["error/2020-01-01T00.ndjson.gz", "processed/2020-01-01T00.ndjson.gz"]
    async with asyncio.timeout(20), serving(settings) as client:
        while names(archive) != compressed:
            await asyncio.sleep(0.05)
        await post_numbers(client, range(900, 2_000))
        await counted(client, 2_000)
        before = await (await client.get("/counts")).json()
    assert len(names(archive)) >= 4, "some of it is plain, some compressed"
    for name in (f"{influx_bucket}-again", f"{influx_bucket}-again-rollup"):
        make_bucket(influx_server, name)
    async with serving(influx_settings(tmp_path / "new", influx_server, f"{influx_bucket}-again")) as client:
        await replay(archive, client)
        await counted(client, 2_000)
        assert await (await client.get("/counts")).json() == before


async def post_numbers(client: ClientSession, numbers: Iterable[int]) -> None:
    """Events of four sensors, one in nine an ``erro``; two of them in each millisecond."""
    events = [
        {"timestamp": START_MS + i // 2, "tag": TAGS[i % 4], "valor": i / 8 if i % 9 else "", "i": i} for i in numbers
    ]
    async with client.post("/events", json=events) as answer:
        assert (answer.status, (await answer.json())["accepted"]) == (202, len(events))


async def replay(archive: Path, client: ClientSession) -> None:
    command = [sys.executable, "-m", "loadgen", "replay", str(archive), "--url", str(client._base_url), "--quiet"]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended


def test_a_second_service_on_the_same_archive_is_refused(tmp_path: Path) -> None:
    archive = str(tmp_path / "files")
    with served(tmp_path / "one", "--archive-dir", archive):
        second = run("serve", "--port", "0", "--data-dir", str(tmp_path / "two"), "--archive-dir", archive)
    assert second.returncode == 1
    assert second.stderr.startswith("ingest: archive_dir: another ingest runs on")
