"""The weeks of which something is stored: each costs InfluxDB a shard, however few points lie in it."""

import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final

from ingest.event import MAX_TIMESTAMP_MS, NS_PER_MS
from ingest.events import Events
from ingest.reject import Reject
from ingest.series.known import Known, Standing

_DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * _DAY_MS
# Unix time begins on a Thursday, a shard's week on a Monday.
_MONDAY_MS: Final = 3 * _DAY_MS
_NO_SPAN: Final = (1, 0)
_ALL_TIME: Final = (0, MAX_TIMESTAMP_MS)


def week_of(time_ms: int) -> int:
    """The number of the week that a time lies in: its id, too, which no series has (see ``is_week``)."""
    return (time_ms + _MONDAY_MS) // WEEK_MS


def is_week(id_: int) -> bool:
    """Whether an id among those of series is a week's. One of 64 bits of a hash is so small once in 10**15."""
    return 0 <= id_ <= week_of(MAX_TIMESTAMP_MS)


class Weeks:
    """Knows ``most`` weeks at most, and those around now whatever happens; 0 knows all. Any thread may use it."""

    def __init__(self, most: int, known: Iterable[int], clock_seconds: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._known = Known(known)
        # Where the known weeks around one begin and end, until there are more of them.
        self._spans: dict[int, tuple[int, int]] = {}
        self._clock_seconds = clock_seconds
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def around(self, time_ms: int) -> tuple[int, int]:
        """From when to when (Unix ms) all weeks are known, that of ``time_ms`` among them; (1, 0) if it is not."""
        if not self._most:
            return _ALL_TIME
        week = week_of(time_ms)
        return self._spans.get(week) or self._span(week)

    def admit(self, time_ms: int, now_ms: int) -> Standing | Reject:
        """Whether points of this time may be kept, or why not."""
        week = week_of(time_ms)
        if not self._most or week in self._known.ids:
            return Standing.KNOWN
        with self._lock:
            standing = self._known.standing(week)
            if standing:
                return standing
            now = self._clock_seconds()
            self._known.forget_unsaved(now)
            # The present is never refused, or whoever made up a past would stop the sensors next Monday.
            if abs(week - week_of(now_ms)) > 1 and len(self._known) >= self._most:
                return self._refusal()
            return self._known.take(week, now)

    def unsaved(self, events: Events, lines: Iterable[bytes]) -> list[int]:
        """Those weeks of ``events`` and ``lines`` that have to get on disk with them."""
        if not self._known.unsaved:
            return []
        weeks = set(map(week_of, events.timestamps_ms))
        weeks.update(week_of(int(line[line.rindex(b" ") + 1 :]) // NS_PER_MS) for line in lines)
        with self._lock:
            return [week for week in weeks if week in self._known.unsaved]

    def ids(self) -> list[int]:
        """Those that are known to be on disk."""
        with self._lock:
            return list(self._known.ids)

    def save(self, weeks: Iterable[int]) -> None:
        with self._lock:
            self._known.save(weeks)
            self._spans = {}

    def _span(self, week: int) -> tuple[int, int]:
        with self._lock:
            known = self._known.ids
            if week not in known:
                return _NO_SPAN
            first = last = week
            while first - 1 in known:
                first -= 1
            while last + 1 in known:
                last += 1
            span = (first * WEEK_MS - _MONDAY_MS, (last + 1) * WEEK_MS - _MONDAY_MS - 1)
            self._spans[week] = span
            return span

    def _refusal(self) -> Reject:
        return Reject(
            "week_limit",
            f"it is of a week of which nothing is stored, and there are {self._most} others, which is all that"
            " max_weeks allows: if its time is right, raise --max-weeks",
        )
