"""A backfill against the real service: complete, idempotent, patient."""

import asyncio
import signal
from pathlib import Path

import pytest

from loadgen.backfill import batches
from loadgen.plan import Plan
from loadgen.results import read
from loadgen.sensors import events
from tests.loadgen.command import finish, loadgen, start
from tests.loadgen.ingest_process import ingest_process, stored_rows
from tests.loadgen.service import Service

UNTIL = "2026-11-23T12:00:00Z"
# 30 sensors, once a minute for 6 hours.
SMALL = (
    "backfill",
    "--days",
    "0.25",
    "--sensors",
    "30",
    "--interval",
    "1m",
    "--until",
    UNTIL,
    "--profile",
    "farm",
    "--batch",
    "500",
)
EVENTS = 30 * 6 * 60


async def test_a_backfill_is_all_there_and_sent_again_it_changes_nothing(ingest_url: str, tmp_path: Path) -> None:
    results = str(tmp_path / "past.jsonl")
    code, out, err = await loadgen(*SMALL, "--url", ingest_url, "--results", results)
    assert (code, err) == (0, ""), out + err
    assert f"{EVENTS:,} (all)" in out
    code, out, err = await loadgen("verify", "--results", results)
    assert code == 0, out + err
    assert "repeated on purpose: " in out
    stored = len(await stored_rows(ingest_url))
    code, out, err = await loadgen(*SMALL, "--url", ingest_url)
    assert code == 0, out + err
    assert len(await stored_rows(ingest_url)) == stored


async def test_a_service_killed_in_the_middle_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    results = tmp_path / "past.jsonl"
    async with ingest_process(tmp_path / "data") as ingest:
        backfill = await start(
            *("backfill", "--days", "0.5", "--sensors", "200", "--interval", "1m", "--until", UNTIL),
            *("--url", ingest.url, "--results", str(results)),
        )
        async with asyncio.timeout(30):
            while await ingest.events() < 15_000:
                await asyncio.sleep(0.02)
        await ingest.kill()
        await asyncio.sleep(0.5)
        await ingest.start()
        code, out, err = await finish(backfill)
        assert code == 0, out + err
        assert "waiting for the service (" in err
        assert "going on after " in err
        assert f"{200 * 720:,} (all)" in out
        code, out, err = await loadgen("verify", "--results", str(results))
        assert code == 0, out + err


async def test_a_full_service_is_waited_for_as_long_as_it_asks(service: Service) -> None:
    service.status, service.retry_after = 503, "1"
    backfill = await start(*SMALL, "--url", service.url)
    await service.heard(4)
    refused = service.posts
    await asyncio.sleep(0.6)
    assert service.posts == refused, "a second was asked for"
    service.status = 202
    code, out, err = await finish(backfill)
    assert code == 0, out + err
    assert err.count("waiting for the service (HTTP 503") == 1, err
    assert len(service.rows) == EVENTS


async def test_patience_ends_with_a_sentence_and_the_way_on(service: Service) -> None:
    service.status = 503
    code, out, err = await loadgen(*SMALL, "--url", service.url, "--patience", "500ms")
    assert code == 1, out + err
    assert "given up: nothing got through for 0.5 s: HTTP 503" in out
    assert f"complete it with: loadgen backfill --days 0.25 --until {UNTIL} --interval 60s --sensors 30" in out


@pytest.mark.parametrize("status", [401, 404, 415])
async def test_a_service_that_will_never_take_them_is_not_asked_for_ever(service: Service, status: int) -> None:
    service.status = status
    code, out, err = await loadgen(*SMALL, "--url", service.url)
    assert code == 1, out + err
    assert f"given up: HTTP {status}" in out
    assert service.posts <= 4


async def test_nobody_there_is_said_at_once(nobody_url: str) -> None:
    code, _, err = await loadgen(*SMALL, "--url", nobody_url)
    assert code == 2
    assert "connection refused. Start the service, or name it with --url" in err


async def test_refused_events_show_in_the_exit_code(service: Service) -> None:
    service.reject_valor = ""
    code, out, err = await loadgen(*SMALL, "--url", service.url)
    assert code == 1, out + err
    assert " × unloved" in out
    assert "(all)" not in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_backfill_says_what_it_did_and_how_to_complete_it(
    service: Service, tmp_path: Path, number: signal.Signals
) -> None:
    service.delay_seconds = 0.3
    results = tmp_path / "past.jsonl"
    # The stand-in keeps a repeated event twice.
    backfill = await start(*SMALL, "--profile", "steady", "--url", service.url, "--results", str(results))
    await service.heard(8)
    backfill.send_signal(number)
    code, out, err = await finish(backfill)
    assert (code, err) == (130, ""), out + err
    assert f"acked     {len(service.rows):,}\n" in out, "answers under way are waited for"
    assert f"complete it with: loadgen backfill --days 0.25 --until {UNTIL}" in out
    code, out, err = await loadgen("verify", "--results", str(results))
    assert code == 0, out + err
    assert read(results).finished


async def test_a_second_signal_does_not_wait_for_answers(service: Service) -> None:
    service.delay_seconds = 60
    backfill = await start(*SMALL, "--url", service.url)
    await service.heard(4)
    backfill.send_signal(signal.SIGINT)
    await asyncio.sleep(0.2)
    backfill.send_signal(signal.SIGINT)
    code, out, err = await asyncio.wait_for(finish(backfill), 1.5)
    assert (code, err) == (130, ""), out + err
    assert "unknown   2,000 stopped before the answer" in out


def test_the_oldest_come_first_and_every_line_is_one_event() -> None:
    plan = Plan(url="", rate=0.5, sensors=30, profile="city", batch=100, start_ms=0, duration_seconds=6 * 3600)
    sent = list(batches(plan, events(plan)))
    assert [batch.first for batch in sent] == list(range(0, EVENTS, 100))
    lines = [line for batch in sent for line in batch.lines]
    assert len(lines) == EVENTS
    assert all(line.startswith(b'{"timestamp":') and line.endswith(b"}\n") for line in lines)


async def test_results_on_a_full_disk_end_it_with_a_sentence(service: Service) -> None:
    code, _, err = await loadgen(*SMALL, "--url", service.url, "--results", "/dev/full")
    assert (code, err) == (
        2,
        "loadgen backfill: /dev/full can't be written: No space left on device. Name another --results file\n",
    )
    assert service.posts == 0
