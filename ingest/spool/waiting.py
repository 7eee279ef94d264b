"""What is in the journal and not in InfluxDB yet: in memory, so that nothing has to be read to be shipped."""

import time
from collections import deque
from collections.abc import Sequence
from threading import Lock

import msgspec

from ingest.minutes import Mark
from ingest.spool.journal import Segment

# Whoever ships takes rows more often than that, unless InfluxDB does not take them.
_TAKING_SECONDS = 0.5


class JournalRow(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Lines of events that are in the journal's ``segment`` since Unix ``time_ms``.

    ``since_seconds`` is the same by a clock that never jumps. ``marks`` are the minutes they touch; None: not known.
    """

    time_ms: int
    points: int
    lines: bytes
    marks: frozenset[Mark] | None
    segment: Segment
    since_seconds: float


class Waiting:
    """A queue of rows, which are counted until they are stored. Any thread may use it.

    It ``is_crowded`` with more than ``crowd_bytes``, of which some are taken all the time.
    """

    def __init__(self, crowd_bytes: int) -> None:
        self._crowd_bytes = crowd_bytes
        self._taken_at = 0.0
        self._queue: deque[JournalRow] = deque()
        self._counted: dict[JournalRow, None] = {}
        self._lock = Lock()
        self._queued_bytes = 0
        self.queued_points = 0
        self.points = 0
        self.bytes = 0

    @property
    def is_crowded(self) -> bool:
        return self._queued_bytes > self._crowd_bytes and time.monotonic() - self._taken_at < _TAKING_SECONDS

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest row arrived that is not stored yet (Unix ms)."""
        with self._lock:
            return next((row.time_ms for row in self._counted), None)

    @property
    def next(self) -> JournalRow | None:
        """The row that is taken next."""
        with self._lock:
            return self._queue[0] if self._queue else None

    def add(self, rows: Sequence[JournalRow]) -> None:
        """At the end of the queue."""
        with self._lock:
            self._counted.update(dict.fromkeys(rows))
            self._queue.extend(rows)
            self._count(rows, 1)
            self._count_queued(rows, 1)

    def take(self, max_points: int, max_bytes: int) -> list[JournalRow]:
        """The oldest rows, up to the limits but at least one if there is one; they go on being counted."""
        rows: list[JournalRow] = []
        points = size = 0
        with self._lock:
            while self._queue:
                row = self._queue[0]
                points, size = points + row.points, size + len(row.lines)
                if rows and (points > max_points or size > max_bytes):
                    break
                rows.append(self._queue.popleft())
            self._count_queued(rows, -1)
            self._taken_at = time.monotonic()
        return rows

    def put_back(self, rows: Sequence[JournalRow]) -> None:
        """These were taken, and are to be taken again first."""
        with self._lock:
            self._queue.extendleft(reversed(rows))
            self._count_queued(rows, 1)

    def forget(self, rows: Sequence[JournalRow]) -> None:
        """These are stored."""
        with self._lock:
            for row in rows:
                del self._counted[row]
            self._count(rows, -1)

    def take_late(self, max_seconds: float, max_bytes: int, at_once_bytes: int) -> list[JournalRow]:
        """Rows that have been in the queue for longer, or are too many for the memory: up to ``at_once_bytes`` of them,
        but at least one if there is one."""
        before = time.monotonic() - max_seconds
        late: list[JournalRow] = []
        size = 0
        with self._lock:
            spare = self._queued_bytes - max_bytes
            while self._queue and (spare > 0 or self._queue[0].since_seconds < before):
                size += len(self._queue[0].lines)
                if late and size > at_once_bytes:
                    break
                row = self._queue.popleft()
                spare -= len(row.lines)
                late.append(row)
            self._count_queued(late, -1)
        return late

    def _count(self, rows: Sequence[JournalRow], sign: int) -> None:
        self.points += sign * sum(row.points for row in rows)
        self.bytes += sign * sum(len(row.lines) for row in rows)

    def _count_queued(self, rows: Sequence[JournalRow], sign: int) -> None:
        self.queued_points += sign * sum(row.points for row in rows)
        self._queued_bytes += sign * sum(len(row.lines) for row in rows)
