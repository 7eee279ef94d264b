"""``ingest serve --workers N``: nobody can tell that there are several, and nothing is lost when one dies."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

from aiohttp import ClientConnectionError, ClientSession, TCPConnector

from tests.faults.service import Service, influx_options
from tests.ingest.workers.staff import (
    connected,
    descriptors,
    event,
    events_of,
    pids_beside,
    put_over_many,
    staffed,
    wait_until_counted,
)
from tools.influx_server import InfluxServer

_CONNECTIONS = 40


async def test_what_all_workers_take_is_counted_once_and_told_of_as_one(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    with staffed(tmp_path, influx_server, influx_bucket) as service:
        before = {pid: descriptors(pid) for pid in pids_beside(service)}
        assert len(before) == 2
        async with ClientSession(service.url, connector=TCPConnector(limit=0)) as client:
            answers = await asyncio.gather(*(client.get("/health") for _ in range(_CONNECTIONS)))
            assert {answer.status for answer in answers} == {200}
            taken = {pid: descriptors(pid) - count for pid, count in before.items()}
            assert all(count > 0 for count in taken.values()), f"connections of each worker: {taken}"
            # On those connections, so that each worker takes some.
            number = iter(range(_CONNECTIONS * 5))
            for _ in range(5):
                answers = await asyncio.gather(
                    *(client.post("/events", json=[event(next(number))]) for _ in range(_CONNECTIONS))
                )
                assert {answer.status for answer in answers} == {202}
        assert wait_until_counted(service, 200) == 200
        assert service.metric("ingest_events_accepted_total") == 200
        assert service.metric("ingest_ack_seconds_count") == 200
        assert service.metric("ingest_workers") == 3
        assert service.stop() == 0
    assert len(events_of(service.log, "listening")) == len(events_of(service.log, "stopped")) == 1


async def test_a_worker_that_is_killed_loses_nothing_that_was_acked_and_comes_back(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    acked: list[int] = []
    with staffed(tmp_path, influx_server, influx_bucket, 2) as service:
        [pid] = pids_beside(service)
        is_over = asyncio.Event()

        async def send(first: int) -> None:
            number = first
            while not is_over.is_set():
                try:
                    async with ClientSession(service.url, connector=TCPConnector(limit=1)) as client:
                        while not is_over.is_set():
                            async with client.post("/events", json=event(number)) as answer:
                                if answer.status == 202:
                                    acked.append(number)
                            number += 20
                except ClientConnectionError:
                    await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as senders:
            for first in range(20):
                senders.create_task(send(first))
            await asyncio.sleep(0.7)
            accepted = service.metric("ingest_events_accepted_total")
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.7)
            is_over.set()
        deadline = time.monotonic() + 20
        while service.metric("ingest_workers") < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        assert service.metric("ingest_workers") == 2
        assert pids_beside(service) != [pid]
        # Without an answer an event may be kept all the same.
        counted = wait_until_counted(service, len(acked))
        assert 20 + len(acked) >= counted >= len(acked) > 100
        assert service.metric("ingest_events_accepted_total") >= accepted
    assert [entry["worker"] for entry in events_of(service.log, "worker_ended")] == [2]


def test_a_worker_that_does_not_answer_is_a_reason_and_what_it_has_counted_is_shown_all_the_same(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    with staffed(tmp_path, influx_server, influx_bucket, 2) as service:
        asyncio.run(put_over_many(service.url, 20, 2))
        assert service.metric("ingest_events_accepted_total") == 40
        [worker] = pids_beside(service)
        os.kill(worker, signal.SIGSTOP)
        said = asked = b""
        deadline = time.monotonic() + 20
        with connected(service, service.pid) as client:
            while b"worker 2 does not answer" not in said and time.monotonic() < deadline:
                client.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
                said = client.recv(65_536)
                time.sleep(0.2)
            assert b"503" in said.split(b"\r\n")[0], said
            assert b"worker 2 does not answer" in said
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while piece := client.recv(65_536):
                asked += piece
        assert b"ingest_events_accepted_total 40.0" in asked, asked[-3000:]
        os.kill(worker, signal.SIGCONT)
        while service.answer("/ready")[0] != 200 and time.monotonic() < deadline + 20:
            time.sleep(0.1)
        assert service.answer("/ready") == (200, b'{"ready":true,"reasons":[],"warnings":[]}\n')


async def test_a_main_process_that_is_killed_takes_its_workers_along_and_all_is_there_at_the_next_start(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    with staffed(tmp_path, influx_server, influx_bucket, 2) as service:
        await put_over_many(service.url, 20, 5)
        service.kill()
        service.start()
        assert wait_until_counted(service, 100) == 100
        assert service.stop() == 0


def test_of_fewer_workers_than_before_the_main_one_ships_what_the_others_left(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    away = ["--influx-url", "http://127.0.0.1:9"]
    with staffed(tmp_path, influx_server, influx_bucket, 3, *away) as service:
        asyncio.run(put_over_many(service.url, 30, 2))
        assert accepts_ten(service, pids_beside(service)[0], "other")
        assert service.stop() == 0
    with staffed(tmp_path, influx_server, influx_bucket, 1, "--max-new-series-a-minute", "1") as service:
        assert wait_until_counted(service, 70) == 70
        assert service.metric("ingest_spool_points") == 0
        # What the others knew is new to nobody: nine of these would be too many a minute.
        assert accepts_ten(service, service.pid, "other")
        [told] = events_of(service.log, "shipping_leftovers")
        assert set(told["points_of_workers"]) == {"2", "3"}, told
        assert service.stop() == 0


def test_a_sensor_that_one_worker_knows_is_new_to_none(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    # Ten new ones for each of the two.
    limits = ["--max-new-series-a-minute", "20"]
    with staffed(tmp_path, influx_server, influx_bucket, 2, *limits) as service:
        [worker] = pids_beside(service)
        assert accepts_ten(service, worker, "first")
        # Word of them is on its way.
        time.sleep(1)
        assert accepts_ten(service, service.pid, "first")
        assert accepts_ten(service, service.pid, "second")
        time.sleep(1)
        assert accepts_ten(service, worker, "second")
        assert not accepts_ten(service, service.pid, "third")
        assert stat.S_IMODE((tmp_path / "main.socket").stat().st_mode) == 0o600
        assert service.stop() == 0
    # After a restart each knows those of all, though only one of them has them in its file.
    with staffed(tmp_path, influx_server, influx_bucket, 2, "--max-new-series-a-minute", "2") as service:
        for pid in (service.pid, *pids_beside(service)):
            assert accepts_ten(service, pid, "first")
            assert accepts_ten(service, pid, "second")


def test_a_port_that_another_service_has_is_not_shared_with_it(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    with staffed(tmp_path / "a", influx_server, influx_bucket, 2) as service:
        options = influx_options(influx_server, influx_bucket)
        result = run(
            "--port", service.url.rpartition(":")[2], "--workers", "2", *options, "--data-dir", f"{tmp_path}/b"
        )
        assert (result.returncode, result.stderr.count("\n")) == (1, 1), result.stderr
        assert "ddress already in use" in result.stderr
        assert service.answer("/ready")[0] == 200


def test_the_embedded_store_has_one_writer(tmp_path: Path) -> None:
    result = run("--port", "0", "--workers", "2", "--data-dir", str(tmp_path / "d"))
    assert result.returncode == 2
    assert result.stderr == (
        "ingest: workers: the embedded store has one writer: leave --workers out, or take --store influx\n"
    )


def accepts_ten(service: Service, pid: int, kind: str) -> bool:
    events = [{"timestamp": 1_700_000_000_000, "tag": f"a.b.{kind}{n}", "valor": "1"} for n in range(10)]
    body = json.dumps(events).encode()
    with connected(service, pid) as client:
        head = f"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        return client.recv(65_536).endswith(b'{"accepted":10,"rejected":[]}\n')


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ingest", "serve", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"INGEST_INFLUX_TOKEN": "t"},
    )


def test_each_worker_has_a_raw_archive_of_its_own_and_one_that_is_no_more_is_kept_in_order(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    archive = tmp_path / "files"
    with staffed(tmp_path / "data", influx_server, influx_bucket, 2, "--archive-dir", str(archive)) as service:
        asyncio.run(put_over_many(service.url, 20, 2))
        assert service.metric('ingest_archive_events_total{status="processado"}') == 40
        assert service.stop() == 0
    hours = {path: path.read_bytes().count(b"\n") for path in archive.rglob("*.ndjson")}
    assert {path.parent.parent for path in hours} == {archive, archive / "worker-2"}
    assert sum(hours.values()) == 40
    # An hour of long ago that the worker could not compress any more.
    left = archive / "worker-2" / "processed" / "2020-01-01T00.ndjson"
    left.write_text("{}\n")
    with staffed(tmp_path / "data", influx_server, influx_bucket, 1, "--archive-dir", str(archive)):
        deadline = time.monotonic() + 20
        while not (packed := left.with_name(f"{left.name}.gz")).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert packed.exists(), list(left.parent.iterdir())
