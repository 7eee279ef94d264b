"""The spool against a model of it: whatever is done to it in whatever order, it is a FIFO that loses nothing."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingest.errors import SpoolFull
from ingest.line_parser import split_lines
from ingest.spool import dead_letter
from ingest.spool.changes import Blob
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.lanes import Lane
from ingest.spool.rows import Row
from ingest.spool.spool import Spool

# The long form: PULSO_MODEL_EXAMPLES=1000.
EXAMPLES = int(os.environ.get("PULSO_MODEL_EXAMPLES", "20"))
CAP = 40_000
Result = TypeVar("Result")


class SpoolModel(RuleBasedStateMachine):
    """``waiting`` are the lines that were acked and not removed, in order; ``taken`` are rows under way."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._home = Path(tempfile.mkdtemp(prefix="pulso-model-"))
        self._folders = (self._home / str(number) for number in itertools.count())
        self._numbers = itertools.count()
        self.waiting: list[bytes] = []
        self.dead: list[bytes] = []
        self.taken: list[Row] = []
        self.last_id = 0

    @initialize()
    def start(self) -> None:
        self._folder = next(self._folders)
        self._folder.mkdir()
        self._open()

    def teardown(self) -> None:
        self._run(self._spool.close())
        self._loop.close()
        shutil.rmtree(self._home)

    @rule(groups=st.lists(st.lists(st.integers(0, 3_000), min_size=1, max_size=4), min_size=1, max_size=3))
    def append(self, groups: list[list[int]]) -> None:
        """Some appends at once, of lines of these lengths; each is kept whole or not at all."""
        blobs = [[Blob(self._line(size), 1) for size in sizes] for sizes in groups]

        async def all_at_once() -> list[Any]:
            return await asyncio.gather(*map(self._spool.append, blobs), return_exceptions=True)

        for group, answer in zip(blobs, self._run(all_at_once()), strict=True):
            if answer is None:
                self.waiting += [blob.lines for blob in group]
            else:
                assert isinstance(answer, SpoolFull), answer
                size = sum(len(blob.lines) for blob in group)
                # Others of the same moment count as well.
                asked = sum(len(blob.lines) for blobs_of_one in blobs for blob in blobs_of_one)
                assert sum(map(len, self.waiting)) + asked + size > CAP

    @rule(points=st.integers(1, 6), size=st.integers(1, 10_000))
    def read(self, points: int, size: int) -> None:
        """Rows come in order, none twice, none left out."""
        rows = self._run(self._spool.backlog.read(Lane(self.last_id), points, size))
        under_way = [line for row in self.taken for line in split_lines(row.lines)]
        following = self.waiting[len(under_way) :]
        found = [line for row in rows for line in split_lines(row.lines)]
        assert found == following[: len(found)]
        assert rows or not following
        self.taken += rows
        self.last_id = rows[-1].id if rows else self.last_id

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """InfluxDB has the oldest rows, or refuses lines of theirs."""
        count = data.draw(st.integers(1, len(self.taken)))
        rows, self.taken = self.taken[:count], self.taken[count:]
        lines = [line for row in rows for line in split_lines(row.lines)]
        dead = data.draw(st.lists(st.sampled_from(lines), unique=True, max_size=2))
        self._run(self._spool.backlog.remove(rows, [DeadLetter(line, "because", 5) for line in dead]))
        self.dead += dead
        assert self.waiting[: len(lines)] == lines
        del self.waiting[: len(lines)]

    @rule()
    def crash(self) -> None:
        """The files of this moment are all that is left."""
        after = next(self._folders)
        shutil.copytree(self._folder, after)
        self._run(self._spool.close())
        self._folder = after
        self._open()

    @rule()
    def stop_and_start(self) -> None:
        self._run(self._spool.close())
        self._open()

    @precondition(lambda self: len(self.waiting) > len(self.taken))
    @rule(data=st.data())
    def damage_a_row(self, data: st.DataObject) -> None:
        """A bit of a row that waits flips: it is never read, and nothing else is touched."""
        self._run(self._spool.close())
        line = data.draw(st.sampled_from(self.waiting))
        path = self._folder / "spool.db"
        # Wherever a page has it; what was removed from a page may still stand there.
        path.write_bytes(path.read_bytes().replace(line[:12], line[:11] + b"?"))
        self._open()
        kept = [line for row in self._everything() for line in split_lines(row.lines)]
        lost = [line for line in self.waiting if line not in kept]
        assert line in lost
        assert self._run(self._spool.backlog.damaged_rows()) > 0
        # Those that shared its row.
        first = self.waiting.index(lost[0])
        assert lost == self.waiting[first : first + len(lost)]
        self.waiting = kept

    @invariant()
    def the_depth_is_exact(self) -> None:
        if not hasattr(self, "_spool"):
            return
        depth = self._spool.depth
        assert (depth.points, depth.bytes) == (len(self.waiting), sum(map(len, self.waiting)))
        assert depth.dead_letters == len(self.dead)
        letters = self._run(self._spool.backlog._in_reader(dead_letter.select))
        assert [letter.line for letter in letters] == self.dead
        assert self._spool.backlog._file.notes == [], "nothing was damaged but rows"

    def _line(self, size: int) -> bytes:
        return b'm v=%08d,t="%s"\n' % (next(self._numbers), b"x\n" * (size // 2))

    def _everything(self) -> list[Row]:
        return self._run(self._spool.backlog.read(Lane(0), 10**9, 10**9))

    def _open(self) -> None:
        async def opened() -> Spool:
            return Spool(self._folder, CAP, row_points=4, row_bytes=4_000, reserve_bytes=4_096)

        self._spool = self._run(opened())
        self.taken, self.last_id = [], 0

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(work)


TestSpoolModel = SpoolModel.TestCase
TestSpoolModel.settings = settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None)
