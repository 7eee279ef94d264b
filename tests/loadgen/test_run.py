"""Whole runs against a stand-in for ingest."""

import asyncio
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from loadgen.plan import Plan
from loadgen.progress import Silence
from loadgen.results import ResultsWriter, Second, Summary, read
from loadgen.run import run
from loadgen.sensors import events
from tests.loadgen.service import Service, shown


def plan(url: str, *, rate: float = 0, batch: int = 1, events: int | None = None, **more: object) -> Plan:
    settings = {"url": url, "rate": rate, "batch": batch, "events": events, "sensors": 50, "connections": 5}
    return Plan(**{"start_ms": time.time_ns() // 1_000_000, **settings, **more})  # type: ignore[arg-type]


async def carry_out(a_plan: Plan, results: Path | None = None, stop: asyncio.Event | None = None) -> Summary:
    with ResultsWriter(results) as writer:
        return await run(a_plan, writer, Silence(), stop or asyncio.Event())


def generated(a_plan: Plan, count: int) -> list[dict[str, object]]:
    sent = islice(events(a_plan), count)
    return [shown({"timestamp": event.timestamp, "tag": event.tag, "valor": event.valor}) for event in sent]


def in_order(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return sorted((row["timestamp"], row["tag"], row["valor"], row["status"]) for row in rows)


@pytest.mark.parametrize(
    ("form", "gzip", "batch", "posts", "content_type"),
    [
        ("json", False, 1, 250, "application/json"),
        ("json", True, 1, 250, "application/json"),
        ("json", False, 100, 3, "application/json"),
        ("json", True, 100, 3, "application/json"),
        ("ndjson", False, 100, 3, "application/x-ndjson"),
        ("ndjson", True, 100, 3, "application/x-ndjson"),
        ("lp", False, 100, 3, "text/plain"),
        ("lp", True, 100, 3, "text/plain"),
    ],
)
async def test_every_event_of_the_plan_arrives_once(
    service: Service, *, form: str, gzip: bool, batch: int, posts: int, content_type: str
) -> None:
    a_plan = plan(service.url, format=form, gzip=gzip, batch=batch, events=250)
    summary = await carry_out(a_plan)
    assert (summary.sent, summary.acked, summary.requests) == (250, 250, posts), summary
    assert summary.all_acked
    assert in_order(service.rows) == in_order(generated(a_plan, 250))
    assert service.content_types == {content_type}
    assert service.encodings == {"gzip" if gzip else None}
    assert len(service.connections) <= a_plan.connections


async def test_a_rate_is_kept_and_spare_connections_stay_unopened(service: Service) -> None:
    summary = await carry_out(plan(service.url, rate=100, duration_seconds=0.5))
    assert summary.sent == summary.acked == 50
    assert summary.seconds >= 0.49
    assert len(service.connections) < 5, "at this rate one connection would nearly do"


async def test_waiting_for_a_slow_server_counts_as_latency(service: Service) -> None:
    service.delay_seconds = 0.1
    summary = await carry_out(plan(service.url, rate=1000, events=8, connections=1))
    # All are due within 8 ms and one connection does 10 a second, so the last answer comes after 800 ms.
    assert summary.acked == 8
    assert summary.latency_ms.max >= 750, "a client that counts from sending would say 100 ms"
    assert summary.late == 7


async def test_without_a_rate_latency_is_counted_from_sending(service: Service) -> None:
    service.delay_seconds = 0.05
    summary = await carry_out(plan(service.url, events=6, connections=1))
    assert summary.acked == 6
    assert 50 <= summary.latency_ms.p50 < 150, "counted from the start, the third answer would take 150 ms or more"


async def test_what_waits_longer_than_the_timeout_is_given_up_unsent(service: Service) -> None:
    service.delay_seconds = 0.15
    summary = await carry_out(plan(service.url, rate=1000, events=400, connections=1, timeout_seconds=0.3))
    assert summary.unsent > 0
    assert summary.sent + summary.unsent == 400
    assert len(service.rows) == summary.sent == summary.acked
    assert not summary.all_acked


async def test_rejected_events_are_told_apart_from_their_neighbours(service: Service, tmp_path: Path) -> None:
    service.reject_valor = ""
    a_plan = plan(service.url, batch=50, events=1000)
    rejected = [index for index, event in enumerate(islice(events(a_plan), 1000)) if not event.valor]
    summary = await carry_out(a_plan, tmp_path / "run.jsonl")
    assert summary.rejections == {"unloved": len(rejected)}
    assert summary.acked == len(service.rows) == 1000 - len(rejected)
    assert [index for index in range(1000) if index in read(tmp_path / "run.jsonl").rejected] == rejected


async def test_errors_are_counted_by_reason_and_nothing_is_sent_twice(service: Service) -> None:
    service.status = 503
    summary = await carry_out(plan(service.url, batch=10, events=100))
    assert summary.errors == {"HTTP 503": 100}
    assert (summary.acked, service.posts) == (0, 10)


async def test_a_server_that_is_away_costs_an_error_an_event(nobody_url: str) -> None:
    summary = await carry_out(plan(nobody_url, events=8))
    assert summary.errors == {"connection refused": 8}


async def test_stopping_waits_for_answers_in_flight(service: Service, tmp_path: Path) -> None:
    service.delay_seconds = 0.3
    stop = asyncio.Event()
    running = asyncio.create_task(carry_out(plan(service.url), tmp_path / "run.jsonl", stop))
    await service.heard(5)
    stop.set()
    summary = await running
    assert (summary.sent, summary.acked, summary.interrupted) == (5, 5, True), summary
    assert read(tmp_path / "run.jsonl").finished


async def test_stopping_does_not_wait_for_a_server_that_hangs(service: Service) -> None:
    service.delay_seconds = 60
    stop = asyncio.Event()
    running = asyncio.create_task(carry_out(plan(service.url), None, stop))
    await service.heard(5)
    stop.set()
    summary = await asyncio.wait_for(running, 10)
    assert summary.errors == {"stopped before the answer": 5}


async def test_a_run_without_rate_or_events_ends_with_its_duration(service: Service) -> None:
    summary = await asyncio.wait_for(carry_out(plan(service.url, duration_seconds=0.2)), 10)
    assert summary.all_acked
    assert 0 < summary.sent == len(service.rows)


async def test_the_reporter_hears_of_every_event(service: Service) -> None:
    class Listener(Silence):
        heard: list[Second] = []  # noqa: RUF012 - one test, one listener

        def report(self, second: Second, /) -> None:
            self.heard.append(second)

    listener = Listener()
    await run(plan(service.url, rate=40, events=50), ResultsWriter(None), listener, asyncio.Event())
    assert sum(second.acked for second in listener.heard) == 50
    assert [second.second for second in listener.heard] == list(range(len(listener.heard)))
    assert Counter(len(second.rejected_events) for second in listener.heard).keys() == {0}
