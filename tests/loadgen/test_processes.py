"""A run by several processes, which are real ones: as complete as one by a single process, and never silently less."""

import asyncio
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from loadgen.plan import Plan
from loadgen.results import read
from loadgen.verify import verify
from tests.loadgen.command import finish, loadgen, start
from tests.loadgen.service import Service
from tests.loadgen.test_run import generated, in_order


def rows_of(plan: Plan, events: int) -> list[dict[str, object]]:
    counts = [len(range(share.share, events, plan.processes)) for share in plan.shares()]
    return [row for share, count in zip(plan.shares(), counts, strict=True) for row in generated(share, count)]


@pytest.mark.parametrize("pace", [["--rate", "500"], ["--rate", "0"], ["--ramp", "0:1000:1s"]])
async def test_every_event_of_the_plan_arrives_once(service: Service, tmp_path: Path, pace: Sequence[str]) -> None:
    results = tmp_path / "run.jsonl"
    shared = ["--processes", "3", "--events", "400", "--batch", "7", "--connections", "4", "--sensors", "50"]
    code, out, err = await loadgen("run", "--url", service.url, "--results", str(results), *pace, *shared)
    assert (code, err) == (0, ""), out + err
    assert "400 events in 58 requests" in out
    record = read(results)
    assert in_order(service.rows) == in_order(rows_of(record.plan, 400))
    assert (record.finished, record.answered.spans) == (True, [(0, 57)])
    findings = await verify(record, service.url, wait_seconds=0)
    assert (findings.verified, findings.good) == (400, True), findings


async def test_events_happen_while_they_are_sent(service: Service, tmp_path: Path) -> None:
    results = tmp_path / "run.jsonl"
    await loadgen("run", "--url", service.url, "--results", str(results), "--processes", "2", "--events", "20")
    start_ms = read(results).plan.start_ms
    assert abs(results.stat().st_mtime_ns // 1_000_000 - start_ms) < 5000, "the start is when the processes were ready"
    assert min(row["timestamp"] for row in service.rows) == start_ms


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_one_signal_ends_all_cleanly(service: Service, number: signal.Signals) -> None:
    process = await start("run", "--url", service.url, "--duration", "forever", "--rate", "100", "--processes", "2")
    await service.heard(20)
    process.send_signal(number)
    code, out, err = await finish(process)
    assert (code, err) == (0, ""), out + err
    assert f"acked     {len(service.rows)} (all)" in out


async def test_a_second_signal_ends_all_at_once(service: Service) -> None:
    service.delay_seconds = 60
    process = await start("run", "--url", service.url, "--duration", "forever", "--processes", "2")
    await service.heard(2)
    children = workers_of(process.pid)
    process.send_signal(signal.SIGINT)
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGINT)
    code, out, err = await finish(process)
    assert (code, out, err) == (130, "", "")
    assert not any(child.is_running() for child in children)


async def test_a_process_that_dies_is_said_and_ends_the_run(service: Service, tmp_path: Path) -> None:
    results = tmp_path / "run.jsonl"
    process = await start(
        "run", "--url", service.url, "--duration", "60s", "--rate", "200", "--processes", "2", "--results", str(results)
    )
    await service.heard(300)
    victim = workers_of(process.pid)[1]
    victim.kill()
    code, out, err = await finish(process)
    assert code == 1, out + err
    said = re.fullmatch(r"loadgen run: process [12] of 2 was killed by SIGKILL after second (\d+): what it .*\n", err)
    assert said, err
    assert int(said[1]) >= 1
    assert "acked" in out
    record = read(results)
    assert not record.finished
    findings = await verify(record, service.url, wait_seconds=0)
    assert findings.good, findings
    assert 0 < findings.verified <= len(service.rows), findings


async def test_no_process_outlives_who_started_it(service: Service) -> None:
    process = await start("run", "--url", service.url, "--duration", "forever", "--processes", "2")
    await service.heard(10)
    children = workers_of(process.pid)
    process.kill()
    _, _, err = await finish(process)
    gone, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=10)
    assert (len(gone), alive, err) == (2, [], "")


def workers_of(pid: int) -> list[psutil.Process]:
    children: list[psutil.Process] = psutil.Process(pid).children()
    return children
