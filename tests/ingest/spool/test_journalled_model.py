"""The spool's journal against a model of it: whatever is done and whatever fails, in whatever order, what was acked
reaches InfluxDB, and each of its minutes is counted with all of its points."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingest.errors import DiskFailed, SpoolFull
from ingest.fail_points import Point
from ingest.line_parser import split_lines
from ingest.minutes import MINUTE_MS, Mark
from ingest.spool.changes import Blob
from ingest.spool.journal import Journal
from ingest.spool.lanes import Lane
from ingest.spool.segment import Record
from ingest.spool.spool import Spool
from ingest.spool.waiting import JournalRow

# The long form: PULSO_MODEL_EXAMPLES=1000.
EXAMPLES = int(os.environ.get("PULSO_MODEL_EXAMPLES", "20"))
CAP = 20_000
ALL = (2**60, 2**60)
START_MS = 1_600_000_020_000
Result = TypeVar("Result")


class Disk:
    """Fails the next so many commits."""

    def __init__(self) -> None:
        self.failing = 0

    def reached(self, point: Point) -> None:
        if point is Point.IN_COMMIT and self.failing:
            self.failing -= 1
            raise OSError(5, "the disk says no")


class JournalModel(RuleBasedStateMachine):
    """``acked`` are lines that were answered with a 2xx, ``altered`` those that the disk has lost, ``influxdb`` what is
    stored, ``counted`` how many of it in each minute; ``taken`` is on its way to InfluxDB."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._home = Path(tempfile.mkdtemp(prefix="pulso-model-"))
        self._folders = (self._home / str(number) for number in itertools.count())
        self._numbers = itertools.count()
        self._disk = Disk()
        self.acked: set[bytes] = set()
        self.refused: set[bytes] = set()
        self.altered: set[bytes] = set()
        self.influxdb: set[bytes] = set()
        self.counted: Counter[int] = Counter()
        self.taken: list[list[JournalRow]] = []

    @initialize()
    def start(self) -> None:
        self._folder = next(self._folders)
        self._folder.mkdir()
        self._open()

    @rule(
        groups=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=3), new=st.booleans()
    )
    def append(self, groups: list[list[int]], new: bool) -> None:
        """Some appends at once, each with lines of these minutes; the first is the first of its series, perhaps."""
        blobs = [[self._blob(minute) for minute in minutes] for minutes in groups]

        async def all_at_once() -> list[Any]:
            appends = [self._spool.append(some, [7] if new and not at else []) for at, some in enumerate(blobs)]
            return await asyncio.gather(*appends, return_exceptions=True)

        for group, answer in zip(blobs, self._run(all_at_once()), strict=True):
            lines = {blob.lines for blob in group}
            if answer is None:
                self.acked |= lines
            else:
                assert isinstance(answer, SpoolFull | DiskFailed), answer
                self.refused |= lines

    @rule(commits=st.integers(1, 3))
    def the_disk_fails(self, commits: int) -> None:
        self._disk.failing = commits

    @rule()
    def the_disk_is_well(self) -> None:
        self._disk.failing = 0

    @rule(points=st.integers(1, 6))
    def take(self, points: int) -> None:
        if rows := self._spool.take(points, 10**6):
            self.taken.append(rows)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def influxdb_takes(self, data: st.DataObject) -> None:
        rows = self.taken.pop(data.draw(st.integers(0, len(self.taken) - 1)))
        self._store(rows)
        self._run(self._spool.stored(rows))

    @precondition(lambda self: self.taken)
    @rule()
    def influxdb_takes_and_nobody_hears_of_it(self) -> None:
        self._store(self.taken[0])

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def influxdb_refuses(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.taken) - 1))
        if self._tried(self._spool.move(self.taken[at])):
            del self.taken[at]

    @rule()
    def late_rows_are_moved(self) -> None:
        self._tried(self._spool._move_late())

    @rule()
    def the_journal_forgets(self) -> None:
        self._tried(self._spool._tell())

    @rule(points=st.integers(1, 6))
    def the_backlog_is_shipped(self, points: int) -> None:
        rows = self._run(self._spool.backlog.read(Lane(0), points, 10**6))
        self._store(rows)
        if rows:
            self._tried(self._spool.backlog.remove(rows))

    @rule()
    def minutes_are_counted(self) -> None:
        self._count()

    @rule()
    def crash(self) -> None:
        """The files of this moment are all that is left."""
        self._crash_to(next(self._folders))
        self._open()

    @rule()
    def stop_and_start(self) -> None:
        self._run(self._spool.close())
        self._open()

    @rule(data=st.data())
    def crash_and_tear(self, data: st.DataObject) -> None:
        """A write that was under way has come to the disk in part."""
        self._crash_to(next(self._folders))
        for path in sorted(self._folder.glob("journal-0*"))[-1:]:
            with path.open("ab") as file:
                file.write(data.draw(st.binary(max_size=200)))
        self._open()

    @rule(data=st.data())
    def crash_and_alter(self, data: st.DataObject) -> None:
        """A bit of the journal flips: what is lost by it is told of."""
        self._crash_to(next(self._folders))
        before = self._journalled()
        # Whether the last record of a file was ever acked is not known for long.
        last = {path: path.read_bytes().rfind(b"PJ1\n") for path in sorted(self._folder.glob("journal-0*"))}
        if paths := [path for path, at in last.items() if at > 0]:
            path = data.draw(st.sampled_from(paths))
            content = bytearray(path.read_bytes())
            content[data.draw(st.integers(0, last[path] - 1))] ^= 1 << data.draw(st.integers(0, 7))
            path.write_bytes(content)
        self._open()
        lost = before - {line for row in self._queued() for line in split_lines(row)}
        assert self._spool._untold.damaged or not lost, f"{len(lost)} lines are gone without a word"
        self.altered |= lost

    @invariant()
    def nothing_is_lost_or_altered(self) -> None:
        if not hasattr(self, "_spool"):
            return
        everything = [line for row in self._everything() for line in split_lines(row)]
        under_way = [line for rows in self.taken for row in rows for line in split_lines(row.lines)]
        left = {*everything, *under_way}
        assert self.acked <= left | self.influxdb | self.altered
        assert left <= self.acked | self.refused
        depth = self._spool.depth
        assert depth.points == len(everything) + len(under_way)
        assert depth.bytes == sum(map(len, [*everything, *under_way]))
        assert self._spool._unwritten_bytes == 0
        waiting = self._spool.waiting
        assert waiting.queued_points == len(self._queued())

    def teardown(self) -> None:
        """In the end all of it is stored and counted, and nothing is left behind."""
        self._disk.failing = 0
        self._spool._disk._closed_until = self._spool.backlog.disk._closed_until = 0.0
        for rows in [*self.taken, self._spool.take(*ALL)]:
            if rows:
                self._store(rows)
                self._run(self._spool.stored(rows))
        moved = self._run(self._spool.backlog.read(Lane(0), *ALL))
        self._store(moved)
        self._run(self._spool.backlog.remove(moved))
        while self._count():
            pass
        assert self.acked - self.altered <= self.influxdb
        # What InfluxDB has taken while nobody heard of it, and the disk has lost then, marks no minute.
        surely = {minute_of(line) for line in self.influxdb} - {minute_of(line) for line in self.altered}
        counts = Counter(map(minute_of, self.influxdb))
        assert {minute: self.counted[minute] for minute in surely} == {minute: counts[minute] for minute in surely}
        depth = self._spool.depth
        assert (depth.points, depth.bytes, depth.dirty_minutes) == (0, 0, 0)
        self._run(self._spool.close())
        assert sorted(path.name for path in self._folder.glob("journal-*")) in ([], ["journal-current"])
        self._loop.close()
        shutil.rmtree(self._home)

    def _count(self) -> bool:
        """Whether there was something to count, as far as the disk is well."""
        dirty: list[Any] = []

        async def count() -> None:
            dirty.extend(await self._spool.dirty(1000))
            for one in dirty:
                self.counted[one.mark.start_ms] = sum(minute_of(line) == one.mark.start_ms for line in self.influxdb)
            if dirty:
                await self._spool.clean(dirty)

        self._tried(count())
        return bool(dirty)

    def _store(self, rows: Sequence[Any]) -> None:
        self.influxdb |= {line for row in rows for line in split_lines(row.lines)}

    def _blob(self, minute: int) -> Blob:
        number = next(self._numbers)
        time_ms = START_MS + minute * MINUTE_MS + number
        tag = "brasil.sul.s1"
        line = b"events,country=brasil,region=sul,sensor=s1,status=processado value=%d %d000000\n" % (number, time_ms)
        return Blob(line, 1, are_events=True, marks=frozenset({Mark(minute_of(line), tag)}))

    def _queued(self) -> list[bytes]:
        rows = self._spool.waiting.take(*ALL)
        self._spool.waiting.put_back(rows)
        return [line for row in rows for line in split_lines(row.lines)]

    def _journalled(self) -> set[bytes]:
        """What the journal would give back, were its files not altered."""
        copy = shutil.copytree(self._folder, next(self._folders))
        journal = Journal(copy)
        records = [one for _, contents in journal.recover() for one in contents if isinstance(one, Record)]
        journal.close()
        return {line for record in records for line in split_lines(record.lines)}

    def _everything(self) -> list[bytes]:
        rows = self._run(self._spool.backlog.read(Lane(0), *ALL))
        return [*self._queued(), *(row.lines for row in rows)]

    def _crash_to(self, after: Path) -> None:
        shutil.copytree(self._folder, after)
        self._disk.failing = 0
        self._run(self._spool.close())
        self._folder = after

    def _open(self) -> None:
        self._disk.failing = 0

        async def opened() -> Spool:
            spool = Spool(
                self._folder, CAP, 4, 4_000, max_waiting_bytes=500, reached=self._disk.reached, reserve_bytes=4_096
            )
            spool._journal._segment_bytes = 600
            return spool

        self._spool = self._run(opened())
        self.taken = []

    def _tried(self, work: Coroutine[Any, Any, object]) -> bool:
        try:
            self._run(work)
        except DiskFailed:
            return False
        return True

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(work)


def minute_of(line: bytes) -> int:
    time_ms = int(line.rpartition(b" ")[2]) // 1_000_000
    return time_ms - time_ms % MINUTE_MS


TestJournalModel = JournalModel.TestCase
TestJournalModel.settings = settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None)
