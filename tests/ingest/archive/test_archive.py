"""The archive beside a sink: what it holds, what it costs an ack, and what it does about a disk that fails."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import structlog

from ingest.archive.archive import Archive, Pace
from ingest.archive.folder import ArchiveFolder
from ingest.archive.retention import Retention
from ingest.archive.writer import Patience
from ingest.background import beside
from ingest.errors import DiskFailed
from ingest.event import Event
from ingest.events import Events
from ingest.metrics import Metrics
from tests.ingest.archive.lines import files_no_longer_than, identities, names, texts

HOUR_MS = 3_600_000
START_MS = 1_795_442_400_000
QUICK = Pace(tick_seconds=0.01, tidy_seconds=0.02)
IMPATIENT = Patience(retry_seconds=0.01, longest_wait_seconds=0.1)


@dataclass
class Place:
    """An archive on a clock that stands still until it is moved."""

    folder: Path
    metrics: Metrics = field(default_factory=Metrics)
    now_ms: int = START_MS
    archive: Archive = field(init=False)

    async def put(self, *events: Event) -> None:
        await self.archive.beside(kept(), Events.of(events), [msgspec.json.encode(event) for event in events])

    def metric(self, name: str) -> float:
        lines = self.metrics.exposition().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(f"ingest_archive_{name}"))


@asynccontextmanager
async def archiving(
    folder: Path, *, patience: Patience = IMPATIENT, retention: Retention | None = None, pace: Pace = QUICK
) -> AsyncIterator[Place]:
    place = Place(folder / "files")
    of_folder = ArchiveFolder(place.folder, folder, reserved_bytes=0)
    place.archive = Archive(
        of_folder, retention or Retention(), place.metrics.archive(), lambda: place.now_ms, patience=patience, pace=pace
    )
    place.metrics.watch(place.archive.gauges)
    try:
        async with beside(place.archive.run()):
            yield place
    finally:
        await place.archive.close()


async def kept() -> None:
    pass


async def refused() -> None:
    raise DiskFailed("the spool cannot be written")


def event(number: int, valor: str = "1") -> Event:
    return Event(START_MS + number, f"a.b.s{number}", valor)


def identity(number: int, valor: str = "1") -> tuple[int, str, str]:
    return START_MS + number, f"a.b.s{number}", valor


async def until(place: Place, *wanted: str) -> None:
    try:
        async with asyncio.timeout(10):
            while names(place.folder) != sorted(wanted):
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"wanted {wanted}, there are {names(place.folder)}") from None


async def until_it_writes(place: Place) -> None:
    async with asyncio.timeout(10):
        while place.archive.warnings() or place.metric("waiting_bytes"):
            await asyncio.sleep(0.01)


async def test_events_are_sorted_by_status_and_in_order(tmp_path: Path) -> None:
    async with archiving(tmp_path) as place:
        await place.put(event(1), event(2, ""), event(3, "x"))
        await place.put(event(4, ""))
        await place.put(event(5))
        assert [msgspec.json.decode(text)["timestamp"] - START_MS for text in texts(place.folder, "processed")] == [
            1,
            3,
            5,
        ]
        assert [msgspec.json.decode(text)["timestamp"] - START_MS for text in texts(place.folder, "error")] == [2, 4]
        assert place.metric('events_total{status="processado"}') == 3
        assert place.metric('events_total{status="erro"}') == 2


async def test_an_hour_that_is_over_is_compressed_and_one_that_comes_again_is_added_to_it(tmp_path: Path) -> None:
    async with archiving(tmp_path) as place:
        await place.put(event(1), event(2, ""))
        place.now_ms += HOUR_MS - 1
        await place.put(event(3))
        assert names(place.folder) == ["error/2026-11-23T14.ndjson", "processed/2026-11-23T14.ndjson"]
        place.now_ms += 1
        await place.put(event(4))
        compressed = ["error/2026-11-23T14.ndjson.gz", "processed/2026-11-23T14.ndjson.gz"]
        await until(place, *compressed, "processed/2026-11-23T15.ndjson")
        place.now_ms -= 1
        await place.put(event(5))
        place.now_ms += HOUR_MS + 1
        await until(place, *compressed, "processed/2026-11-23T15.ndjson.gz")
        assert identities(place.folder) == {identity(n, "" if n == 2 else "1"): 1 for n in range(1, 6)}


async def test_what_an_earlier_run_left_is_put_in_order_and_compressed(tmp_path: Path) -> None:
    folder = tmp_path / "files" / "processed"
    folder.mkdir(parents=True)
    line = msgspec.json.encode(event(1)) + b"\n"
    folder.joinpath("2026-11-23T09.ndjson").write_bytes(line + b'{"timestamp":17')
    folder.joinpath("2026-11-23T10.sealed.ndjson").write_bytes(line)
    folder.joinpath("2026-11-23T14.ndjson").write_bytes(line + b"{")
    async with archiving(tmp_path) as place:
        await until(
            place,
            "processed/2026-11-23T09.ndjson.gz",
            "processed/2026-11-23T10.ndjson.gz",
            "processed/2026-11-23T14.ndjson",
        )
        await place.put(event(2))
    assert gzip.decompress(folder.joinpath("2026-11-23T09.ndjson.gz").read_bytes()) == line
    assert folder.joinpath("2026-11-23T14.ndjson").read_bytes().count(b"\n") == 2
    assert identities(place.folder) == {identity(1): 3, identity(2): 1}


async def test_the_oldest_hours_go_when_there_is_too_much_but_never_the_current_one(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with archiving(tmp_path, retention=Retention(max_bytes=1)) as place:
            await place.put(event(1), event(2, ""))
            place.now_ms += HOUR_MS
            await place.put(event(3))
            await until(place, "processed/2026-11-23T15.ndjson")
            await asyncio.sleep(0.1)
            assert identities(place.folder) == {identity(3): 1}
            assert place.metric("removed_bytes_total") > 0
    (removed,) = [entry for entry in logs if entry["event"] == "archive_hours_removed"]
    assert (removed["files"], removed["hours"]) == (2, ["2026-11-23T14", "2026-11-23T14"])


async def test_hours_go_for_their_age_but_not_because_a_clock_jumped(tmp_path: Path) -> None:
    retention = Retention(max_age_ms=2 * HOUR_MS)
    async with archiving(tmp_path, retention=retention) as place:
        await place.put(event(1))
        place.now_ms += HOUR_MS
        await place.put(event(2))
        place.now_ms += 2 * HOUR_MS
        await until(place, "processed/2026-11-23T15.ndjson.gz")
        place.now_ms += 40 * 365 * 24 * HOUR_MS
        await place.put(event(3))
        await asyncio.sleep(0.2)
        assert identities(place.folder) == {identity(2): 1, identity(3): 1}
    # A start under a clock that is wrong.
    async with archiving(tmp_path, retention=retention) as place:
        place.now_ms -= 10 * 365 * 24 * HOUR_MS
        await place.put(event(4))
        await asyncio.sleep(0.2)
        assert identities(place.folder) == {identity(number): 1 for number in (2, 3, 4)}


async def test_an_event_that_was_refused_is_not_archived_again_and_again(tmp_path: Path) -> None:
    async with archiving(tmp_path) as place:
        text = msgspec.json.encode(event(1))
        for _ in range(20):
            with pytest.raises(DiskFailed):
                await place.archive.beside(refused(), Events.of([event(1)]), [text])
        await place.put(event(1))
        await place.put(event(2))
    assert identities(place.folder) == {identity(1): 2, identity(2): 1}


async def test_a_full_disk_costs_no_ack_and_what_waits_in_memory_is_written_when_there_is_room(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with archiving(tmp_path) as place:
            await place.put(event(0))
            with files_no_longer_than(90):
                for number in range(1, 50):
                    await place.put(event(number))
                assert identities(place.folder) == {identity(0): 1}
                (warning,) = place.archive.warnings()
                assert "processed events are not written" in warning
                assert "File too large" in warning
                assert place.metric("failing") == 1
                assert place.metric("waiting_bytes") > 0
            await until_it_writes(place)
            assert place.metric("failing") == 0
    assert identities(place.folder) == {identity(number): 1 for number in range(50)}
    assert [entry["event"] for entry in logs] == ["archive_failing", "archive_writes_again"]


async def test_what_finds_no_room_in_memory_either_is_counted_and_the_log_tells_where_it_is(tmp_path: Path) -> None:
    patience = Patience(max_waiting_bytes=200, retry_seconds=0.01)
    with structlog.testing.capture_logs() as logs:
        async with archiving(tmp_path, patience=patience) as place:
            await place.put(event(0))
            with files_no_longer_than(90):
                for number in range(1, 10):
                    place.now_ms += 1000
                    await place.put(event(number))
                assert place.metric('missed_events_total{reason="EFBIG"}') > 0
            await until_it_writes(place)
            await asyncio.sleep(0.05)
            missed = {identity(number) for number in range(10)} - set(identities(place.folder))
            assert len(missed) == place.metric("missed_events_total")
    begins, ends = [entry for entry in logs if entry["event"].startswith("archive_misse")]
    assert (begins["event"], begins["reason"]) == ("archive_misses_events", "EFBIG")
    first, last = min(missed)[0], max(missed)[0]
    assert (ends["events"], ends["they_are_in"]) == (len(missed), f"/get_data?start={first}&stop={last + 1}")
    assert ends["arrived"] == ["2026-11-23T14:00:04+00:00", "2026-11-23T14:00:09+00:00"]


async def test_a_disk_that_is_well_has_room_for_any_body(tmp_path: Path) -> None:
    async with archiving(tmp_path, patience=Patience(max_waiting_bytes=10)) as place:
        await asyncio.gather(*(place.put(*(event(10 * i + j) for j in range(10))) for i in range(10)))
        assert identities(place.folder) == {identity(number): 1 for number in range(100)}
        assert place.metric("missed_events_total") == 0


async def test_what_still_waits_at_the_end_is_missed_and_said(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs, files_no_longer_than(10):
        async with archiving(tmp_path) as place:
            await place.put(event(1), event(2), event(3, ""))
    assert place.metric("missed_events_total") == 3
    said = [(entry["archive"], entry["events"]) for entry in logs if entry["event"] == "archive_missed_events"]
    assert sorted(said) == [("error", 1), ("processed", 2)]


async def test_a_folder_that_cannot_be_made_keeps_no_service_from_starting(tmp_path: Path) -> None:
    tmp_path.joinpath("files").write_bytes(b"in the way")
    with structlog.testing.capture_logs() as logs:
        async with archiving(tmp_path) as place:
            await place.put(event(1))
            assert "exists" in place.archive.warnings()[0]
            tmp_path.joinpath("files").unlink()
            await until_it_writes(place)
            assert identities(place.folder) == {identity(1): 1}
    assert logs[0]["event"] == "archive_not_opened"


async def test_a_disk_that_does_not_answer_holds_up_an_ack_once_and_no_longer_than_allowed(tmp_path: Path) -> None:
    async with archiving(tmp_path, pace=Pace(tick_seconds=0.01, tidy_seconds=60)) as place:
        pipe = place.folder / "processed" / "2026-11-23T14.ndjson"
        # Opening a pipe that nobody reads waits, as a file of a network that is away does.
        os.mkfifo(pipe)
        clock = asyncio.get_running_loop().time
        started = clock()
        await place.put(event(1))
        assert 0.1 <= clock() - started < 1
        started = clock()
        for number in range(2, 20):
            await place.put(event(number))
        assert clock() - started < 0.1
        assert "the disk does not answer" in place.archive.warnings()[0]
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        pipe.unlink()
        await until_it_writes(place)
        os.close(reader)
        assert identities(place.folder) == {identity(number): 1 for number in range(1, 20)}


async def test_upkeep_that_fails_in_a_way_nobody_thought_of_is_said_once_and_goes_on(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with archiving(tmp_path) as place:
            await place.put(event(1))
            # No year has so many digits, so no hour has a name.
            place.now_ms = 10**18
            await asyncio.sleep(0.2)
            place.now_ms = START_MS + HOUR_MS
            await until(place, "processed/2026-11-23T14.ndjson.gz")
    said = [entry for entry in logs if entry["event"] == "archive_not_tidy"]
    assert len(said) == 1, said
    assert "out of range" in said[0]["error"]


async def test_what_is_not_the_archives_keeps_neither_opening_nor_tidying_from_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    foreign = ["error/x.tmp/", "processed/2020-01-01T00.ndjson.gz/", "processed/2020-01-01T02.ndjson"]
    for name in foreign[:2]:
        folder.joinpath(name).mkdir(parents=True)
    folder.joinpath(foreign[2]).symlink_to(tmp_path / "nowhere")
    # Its place is taken by a folder: it stays plain.
    folder.joinpath("processed/2020-01-01T00.ndjson").write_bytes(b"{}\n")
    folder.joinpath("processed/2020-01-01T01.ndjson").write_bytes(b"{}\n")
    with structlog.testing.capture_logs() as logs:
        async with archiving(tmp_path) as place:
            await place.put(event(1), event(2, ""))
            place.now_ms += HOUR_MS
            await until(
                place,
                *(name.rstrip("/") for name in foreign),
                "processed/2020-01-01T00.sealed.ndjson",
                "processed/2020-01-01T01.ndjson.gz",
                "processed/2026-11-23T14.ndjson.gz",
                "error/2026-11-23T14.ndjson.gz",
            )
            await asyncio.sleep(0.1)
    said = [entry["file"] for entry in logs if entry["log_level"] != "info"]
    assert said == [str(folder / "processed/2020-01-01T00.sealed.ndjson")], logs
