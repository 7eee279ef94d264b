"""A replay against the real service, and against a stand-in that notes every byte."""

import asyncio
import gzip
import signal
import time
from asyncio.subprocess import PIPE
from itertools import islice, pairwise
from pathlib import Path

import msgspec
import pytest

from loadgen.plan import Plan
from loadgen.sensors import Event, events
from tests.loadgen.command import finish, loadgen, start
from tests.loadgen.ingest_process import ingest_process, stored_rows
from tests.loadgen.replay.archive import write_archive
from tests.loadgen.replay.test_recording import SURROGATES
from tests.loadgen.service import Service

START_MS = 1_700_000_000_000


def recorded(count: int, interval_ms: int = 1000) -> list[Event]:
    plan = Plan(url="", rate=1000 / interval_ms, sensors=20, profile="farm", start_ms=START_MS)
    return list(islice(events(plan), count))


def line(timestamp: int, valor: str = "1") -> str:
    return f'{{"timestamp":{timestamp},"tag":"brasil.sul.sensor01","valor":"{valor}"}}\n'


async def test_an_archive_gives_the_same_events_in_another_store(ingest_url: str, tmp_path: Path) -> None:
    sent = recorded(8000)
    write_archive(tmp_path / "files", sent)
    code, out, err = await loadgen("replay", str(tmp_path / "files"), "--url", ingest_url)
    assert (code, err) == (0, ""), out + err
    assert "acked     8,000 (all)" in out
    found = sorted((row.timestamp, row.tag, row.status) for row in await stored_rows(ingest_url))
    expected = {(event.timestamp, event.tag, "processado" if event.valor else "erro") for event in sent}
    assert found == sorted(expected)


async def test_lines_are_sent_byte_by_byte_as_they_stand_there(service: Service, tmp_path: Path) -> None:
    spelled = [
        b'{"tag": "brasil.sul.a", "valor": "caf\\u00e9", "timestamp":1700000000001, "site": {"more": [1.50]}}\n',
        b'  {"timestamp":1700000000002,"tag":"brasil.sul.a" ,  "valor":"1.50"}  \r\n',
        '{"timestamp":1700000000003,"tag":"brasil.sul.ação","valor":"ligado"}\n'.encode(),
    ]
    (tmp_path / "events.ndjson").write_bytes(b"\n".join(spelled))
    code, out, err = await loadgen("replay", str(tmp_path / "events.ndjson"), "--url", service.url)
    assert (code, err) == (0, ""), out + err
    assert service.bodies == [b"".join(spelled)], service.bodies


async def test_the_files_of_an_hour_are_read_side_by_side(service: Service, tmp_path: Path) -> None:
    sent = [event for event in recorded(8000) if event.timestamp]
    sent.sort(key=lambda event: event.timestamp)
    write_archive(tmp_path / "files", sent)
    await loadgen("replay", str(tmp_path / "files"), "--url", service.url, "--connections", "1")
    times = [msgspec.json.decode(line)["timestamp"] for body in service.bodies for line in body.splitlines()]
    assert len(times) == 8000
    assert all(before <= after for before, after in pairwise(times))
    assert any(not event.valor for event in sent), "without empty ones there would be one folder"


@pytest.mark.parametrize("options", [[], ["--now"]])
async def test_what_ingest_archives_with_lone_surrogates_it_takes_again(
    ingest_url: str, tmp_path: Path, options: list[str]
) -> None:
    (tmp_path / "events.ndjson").write_bytes(b"".join(SURROGATES))
    code, out, err = await loadgen("replay", str(tmp_path / "events.ndjson"), "--url", ingest_url, *options)
    assert (code, err) == (0, ""), out + err
    assert "acked     3 (all)" in out


async def test_what_is_no_event_is_named_by_file_and_line_and_stops_nothing(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(
        line(START_MS) + "no json\n\n" + '{"tag":"a.b.c"}\n' + line(START_MS + 1, "unloved") + line(START_MS + 2) + "{"
    )
    service.reject_valor = "unloved"
    code, out, _ = await loadgen("replay", str(file), "--url", service.url)
    assert code == 1
    assert "read      3 events\nsent      3 in 1 requests\nacked     2\nrejected  1\n          1 × unloved" in out
    assert "bad       2 (" in out
    assert f"{file}:2: bad: JSON is malformed" in out
    assert f"{file}:4: bad: Object missing required field `timestamp`" in out
    assert f"{file}:5: rejected: unloved" in out
    assert "torn      1 (last lines without an end, not sent)" in out
    assert f"{file}:7: passed over" in out


async def test_a_torn_last_line_alone_is_no_failure_and_a_whole_one_without_newline_is_sent(
    service: Service, tmp_path: Path
) -> None:
    (tmp_path / "torn.ndjson").write_text(line(START_MS) + line(START_MS + 1)[:30])
    (tmp_path / "whole.ndjson").write_text(line(START_MS + 2) + line(START_MS + 3).rstrip())
    code, out, err = await loadgen("replay", str(tmp_path), "--url", service.url)
    assert code == 0, out + err
    assert sorted(row["timestamp"] - START_MS for row in service.rows) == [0, 2, 3]


async def test_a_damaged_archive_gives_what_can_be_read_of_it(service: Service, tmp_path: Path) -> None:
    whole = gzip.compress("".join(line(START_MS + number, str(number**5)) for number in range(5000)).encode())
    (tmp_path / "cut.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "other.ndjson.gz").write_bytes(b"this is not gzip")
    (tmp_path / "whole.ndjson").write_text(line(START_MS + 9000))
    code, out, _ = await loadgen("replay", str(tmp_path), "--url", service.url)
    assert code == 1, out
    assert f"{tmp_path / 'cut.ndjson.gz'}: it ends too early" in out
    assert f"{tmp_path / 'other.ndjson.gz'}: Not a gzipped file" in out
    assert 100 < len(service.rows) < 5000
    assert START_MS + 9000 in {row["timestamp"] for row in service.rows}, "the files after it are read"


async def test_a_speed_keeps_the_events_own_spacing(service: Service, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text("".join(line(START_MS + 1000 * number) for number in range(11)))
    started = time.monotonic()
    code, out, err = await loadgen("replay", str(tmp_path / "events.ndjson"), "--speed", "10", "--url", service.url)
    assert code == 0, out + err
    assert time.monotonic() - started >= 1.0, "ten seconds, ten times faster"
    assert len(service.bodies) >= 8, "events of different times are not sent together"


@pytest.mark.parametrize(("options", "times"), [(["--speed", "100"], 1), (["--now", "--quiet"], 1), ([], 0)])
async def test_newest_first_is_said_once_where_it_matters(
    service: Service, tmp_path: Path, options: list[str], times: int
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("".join(line(START_MS - 1000 * number) for number in range(50)))
    code, out, err = await loadgen("replay", str(file), "--url", service.url, *options)
    assert code == 0, out + err
    assert (err.count("the timestamps go backwards"), err.count("tac FILE | loadgen replay -")) == (times, times), err
    assert len(service.rows) == 50


async def test_shifted_events_begin_now_and_keep_their_spacing(service: Service, tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text(line(START_MS) + line(START_MS + 1500) + line(START_MS - 10))
    before_ms = time.time_ns() // 1_000_000
    code, out, err = await loadgen(
        "replay", str(tmp_path / "events.ndjson"), "--now", "--connections", "1", "--url", service.url
    )
    assert code == 0, out + err
    first, *others = (row["timestamp"] for row in service.rows)
    assert before_ms <= first <= time.time_ns() // 1_000_000
    assert [other - first for other in others] == [1500, -10]


async def test_a_pipe_is_sent_while_it_is_still_open_and_ctrl_c_ends_it(service: Service) -> None:
    replay = await start("replay", "-", "--url", service.url, stdin=PIPE)
    assert replay.stdin is not None
    for number in (1, 2):
        replay.stdin.write(line(START_MS + number).encode())
        await service.heard(number)
    replay.send_signal(signal.SIGINT)
    async with asyncio.timeout(1.5):
        assert await replay.wait() == 130
    _, out, err = await finish(replay)
    assert err == ""
    assert "acked     2" in out


async def test_nothing_to_read_and_nobody_there_are_said(nobody_url: str, tmp_path: Path) -> None:
    code, _, err = await loadgen("replay", str(tmp_path), "--url", nobody_url)
    assert (code, err) == (2, f"loadgen replay: {tmp_path} holds no .ndjson or .ndjson.gz file\n")
    (tmp_path / "events.ndjson").write_text(line(START_MS))
    code, _, err = await loadgen("replay", str(tmp_path), "--url", nobody_url)
    assert code == 2
    assert "connection refused. Start the service, or name it with --url" in err


async def test_a_service_killed_in_the_middle_costs_no_event(tmp_path: Path) -> None:
    sent = recorded(60_000, interval_ms=50)
    write_archive(tmp_path / "files", sent)
    async with ingest_process(tmp_path / "data") as ingest:
        replay = await start("replay", str(tmp_path / "files"), "--url", ingest.url)
        async with asyncio.timeout(30):
            while await ingest.events() < 5000:
                await asyncio.sleep(0.01)
        await ingest.kill()
        await ingest.start()
        code, out, err = await finish(replay)
        assert code == 0, out + err
        assert "waiting for the service (" in err
        assert await ingest.events() == len(set(sent))
