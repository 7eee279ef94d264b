"""Verify finds every kind of damage, and only damage. Each test breaks the store in one way."""

import asyncio
import time
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from loadgen.compare import Comparison, Findings
from loadgen.plan import Plan
from loadgen.progress import Silence
from loadgen.readback import CannotReadError, Row
from loadgen.results import Record, ResultsWriter, read
from loadgen.run import run
from loadgen.sensors import PROFILES, Event, events
from loadgen.spans import SpanSet
from loadgen.verify import text, verify
from loadgen.windows import Fate, Sent, Window, windows
from tests.loadgen.service import Service


@pytest.fixture
async def record(service: Service, tmp_path: Path) -> Record:
    """A run of 1000 events, all acked and stored."""
    start_ms = time.time_ns() // 1_000_000
    plan = Plan(url=service.url, rate=0, batch=7, events=1000, sensors=40, connections=4, start_ms=start_ms)
    with ResultsWriter(tmp_path / "run.jsonl") as results:
        await run(plan, results, Silence(), asyncio.Event())
    assert len(service.rows) == 1000
    return read(tmp_path / "run.jsonl")


def position(service: Service, status: str = "processado") -> int:
    return next(index for index, row in enumerate(service.rows) if row["status"] == status and index > 300)


async def check(service: Service, record: Record, wait_seconds: float = 0) -> Findings:
    return await verify(record, service.url, wait_seconds)


async def test_a_whole_store_is_verified(service: Service, record: Record) -> None:
    findings = await check(service, record)
    assert findings == Findings(acked=1000, verified=1000)
    assert text(findings) == "verified: 1,000 of 1,000 acked events"


async def test_a_lost_event_is_named(service: Service, record: Record) -> None:
    lost = service.rows.pop(position(service))
    findings = await check(service, record)
    assert (findings.good, findings.missing.count, findings.verified) == (False, 1, 999)
    assert f"{lost['timestamp']} {lost['tag']} " in findings.missing.examples[0]


async def test_an_event_stored_twice_is_named(service: Service, record: Record) -> None:
    service.rows.append(service.rows[position(service)])
    findings = await check(service, record)
    assert (findings.good, findings.twice.count) == (False, 1)
    assert findings.twice.examples[0].endswith("is stored 2 times")


@pytest.mark.parametrize(("kind", "other"), [("processado", "erro"), ("erro", "processado")])
async def test_an_event_stored_once_more_with_the_wrong_status_is_named(
    service: Service, record: Record, kind: str, other: str
) -> None:
    service.rows.append(service.rows[position(service, kind)] | {"status": other})
    findings = await check(service, record)
    assert (findings.good, findings.twice.count, findings.foreign) == (False, 1, 0)
    assert findings.twice.examples[0].endswith(f"is stored 2 times, also as {other}")


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"valor": "999.5"}, "'999.5', processado"),
        ({"status": "erro"}, "erro"),
        ({"valor": "", "status": "erro"}, "'', erro"),
    ],
)
async def test_an_altered_event_is_named(service: Service, record: Record, change: dict[str, Any], shown: str) -> None:
    service.rows[position(service)] |= change
    findings = await check(service, record)
    assert (findings.good, findings.altered.count, findings.missing.count) == (False, 1, 0)
    assert findings.altered.examples[0].endswith(shown)


async def test_an_erro_stored_as_processado_is_altered(service: Service, record: Record) -> None:
    service.rows[position(service, "erro")] |= {"status": "processado"}
    findings = await check(service, record)
    assert findings.altered.count == 1


async def test_only_ten_are_named_of_many(service: Service, record: Record) -> None:
    del service.rows[100:200]
    findings = await check(service, record)
    assert (findings.missing.count, len(findings.missing.examples)) == (100, 10)
    assert "  … and 90 more" in text(findings)


async def test_events_of_others_are_reported_and_no_failure(service: Service, record: Record) -> None:
    place = service.rows[position(service)]
    service.rows.append(place | {"tag": "brasil.sul.other"})
    service.rows.append(place | {"valor": "another sender, same sensor and millisecond"})
    findings = await check(service, record)
    assert (findings.good, findings.foreign) == (True, 2)


async def test_waiting_sees_events_that_show_up_late(service: Service, record: Record) -> None:
    service.hidden_reads = 1
    assert (await check(service, record, wait_seconds=10)).good


async def test_without_waiting_the_first_look_counts(service: Service, record: Record) -> None:
    service.hidden_reads = 1
    assert (await check(service, record)).missing.count == 1000


async def test_stored_but_never_acked_is_allowed(service: Service, tmp_path: Path, record: Record) -> None:
    partly = Record(record.plan, record.requests, SpanSet([(0, 99)]), SpanSet([(3, 4)]), finished=True)
    findings = await check(service, partly)
    assert findings == Findings(acked=698, verified=698, unacked=300, refused=2)


@pytest.mark.parametrize(
    ("fates", "expected"),
    [
        ([Fate.ACKED, Fate.ACKED], Findings(acked=1, verified=1, repeated=1, acked_again=1)),
        ([Fate.ACKED, Fate.UNKNOWN], Findings(acked=1, verified=1, repeated=1)),
        ([Fate.REJECTED, Fate.UNKNOWN], Findings(unacked=1, repeated=1)),
        ([Fate.REJECTED, Fate.REJECTED], Findings(refused=1, repeated=1)),
    ],
)
def test_an_event_sent_twice_counts_once(fates: list[Fate], expected: Findings) -> None:
    comparison = Comparison(Window(1, 2, [Sent(Event(1, "a.b.c", "7"), fate) for fate in fates]))
    comparison.see(Row(1, "a.b.c", "7", "processado"))
    assert comparison.findings() == expected


@pytest.mark.parametrize(
    ("fate", "expected"), [(Fate.UNKNOWN, Findings(unacked=1)), (Fate.REJECTED, Findings(refused=1))]
)
def test_what_was_never_acked_is_the_run_s_own_whatever_its_status(fate: Fate, expected: Findings) -> None:
    comparison = Comparison(Window(1, 2, [Sent(Event(1, "a.b.c", "7"), fate)]))
    comparison.see(Row(1, "a.b.c", "7", "erro"))
    assert comparison.findings() == expected


def test_an_event_sent_twice_and_stored_twice_is_named() -> None:
    comparison = Comparison(Window(1, 2, [Sent(Event(1, "a.b.c", "7"), Fate.ACKED)] * 2))
    for _ in range(2):
        comparison.see(Row(1, "a.b.c", "7", "processado"))
    found = comparison.findings()
    assert (found.good, found.twice.examples) == (False, ["1 a.b.c '7' is stored 2 times"])


async def test_a_server_that_is_away_is_said_to_be(record: Record, nobody_url: str) -> None:
    with pytest.raises(CannotReadError, match=r"connection refused\. Is the service up"):
        await verify(record, nobody_url, 0)


async def test_what_the_service_answers_can_not_steer_the_terminal(record: Record) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=500, text="\x1b]0;pwned\x07" + "x" * 1_000_000)

    app = web.Application()
    app.router.add_get("/get_data", answer)
    async with TestServer(app) as server:
        with pytest.raises(CannotReadError) as raised:
            await verify(record, str(server.make_url("")).rstrip("/"), 0)
    assert " answered 500: �]0;pwned�xxx" in str(raised.value)
    assert str(raised.value).endswith("xxx…")
    assert len(str(raised.value)) < 500


async def test_a_server_without_get_data_is_named(service: Service, record: Record) -> None:
    with pytest.raises(CannotReadError, match="answered 404"):
        await verify(record, service.url + "/elsewhere", 0)


@pytest.mark.parametrize(
    ("sent", "stored", "same"),
    [
        ("23.50", "23.5", True),
        ("5.0", "5", True),
        ("-0.30", "-0.3", True),
        ("100000.0", "1e5", True),
        ("23.5", "23.51", False),
        ("aberta", "aberta", True),
        ("aberta", "Aberta", False),
        ("23.5", "aberta", False),
        ("nan", "nan", True),
    ],
)
def test_numbers_are_compared_as_numbers_and_words_as_words(sent: str, stored: str, same: bool) -> None:
    comparison = Comparison(Window(1, 2, [Sent(Event(1, "a.b.c", sent), Fate.ACKED)]))
    comparison.see(Row(1, "a.b.c", stored, "processado"))
    assert comparison.findings().good is same


@pytest.mark.parametrize("rate", [0.0, 7.0, 1000.0, 100_000.0])
def test_windows_cover_the_run_without_overlap(rate: float) -> None:
    plan = Plan(url="", rate=rate, sensors=10, batch=3, events=1000, start_ms=1000)
    pieces = list(windows(Record(plan, 334, SpanSet([(0, 333)]), SpanSet([]), finished=True), size=64))
    assert sum(len(piece.sent) for piece in pieces) == 1000
    assert all(before.stop_ms <= after.start_ms for before, after in pairwise(pieces))
    assert all(piece.start_ms <= sent.event.timestamp < piece.stop_ms for piece in pieces for sent in piece.sent)
    assert len(pieces) > 10


@given(
    profile=st.sampled_from(tuple(PROFILES)),
    rate=st.sampled_from([0.0, 7.0, 1000.0, 100_000.0]),
    sensors=st.integers(3, 60),
    processes=st.integers(1, 3),
    size=st.integers(10, 300),
)
def test_windows_hold_every_sending_where_it_belongs_in_time(
    profile: str, rate: float, sensors: int, processes: int, size: int
) -> None:
    plan = Plan(
        url="", rate=rate, sensors=sensors, batch=3, events=1500, profile=profile, processes=processes, start_ms=1000
    )
    record = Record(plan, 600, SpanSet([(0, 599)]), SpanSet([]), finished=True)
    pieces = list(windows(record, size))
    sent = Counter(each.event for piece in pieces for each in piece.sent)
    assert sent == Counter(event for share in plan.shares() for event in islice(events(share), 1500 // processes))
    assert all(before.stop_ms <= after.start_ms for before, after in pairwise(pieces))
    assert all(piece.start_ms <= each.event.timestamp < piece.stop_ms for piece in pieces for each in piece.sent)


def test_windows_stay_small_however_long_the_run() -> None:
    plan = Plan(url="", rate=1000, sensors=50, events=200_000, batch=100, profile="farm", start_ms=1000)
    record = Record(plan, 2000, SpanSet([(0, 1999)]), SpanSet([]), finished=True)
    assert max(len(piece.sent) for piece in windows(record, size=500)) < 510


def test_windows_of_several_processes_hold_every_event_once_with_its_fate() -> None:
    plan = Plan(url="", rate=5000, sensors=10, batch=3, events=1000, start_ms=1000, processes=3)
    # Request 4 is the second of process 1, and its last event is number 5 of that process.
    record = Record(plan, 336, SpanSet([(0, 3), (5, 335)]), SpanSet([(0, 0)]), finished=True)
    pieces = list(windows(record, size=64))
    sent = [event for piece in pieces for event in piece.sent]
    assert all(before.stop_ms <= after.start_ms for before, after in pairwise(pieces))
    assert len({(each.event.timestamp, each.event.tag) for each in sent}) == len(sent) == 1000
    unknown = {each.event for each in sent if each.fate is Fate.UNKNOWN}
    assert unknown == set(list(islice(events(plan.shares()[1]), 6))[3:])
    assert [each.event for each in sent if each.fate is Fate.REJECTED] == [next(events(plan.shares()[0]))]
