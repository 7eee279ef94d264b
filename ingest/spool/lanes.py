"""Which rows of the spool go to InfluxDB next: what has just come takes turns with what has waited for long."""

from collections import deque
from collections.abc import Sequence

import msgspec

# Longer than a write takes: fresh rows that have waited for so long are a backlog.
_LATE_SECONDS = 2.0


class Lane(msgspec.Struct, frozen=True):
    """The rows with an id above ``after_id``: up to ``last_id``, or all that ever come where that is None."""

    after_id: int
    last_id: int | None = None

    @property
    def is_fresh(self) -> bool:
        return self.last_id is None


class Lanes:
    """Says where rows are to be taken from, and has to be told which were: so each is taken once, none is left.

    What waits at the start is the past, and so is what still waits in the fresh lane after ``late_seconds``; rows that
    come after it are fresh again. While there is a past, it and the fresh lane take turns: however much waits, an event
    that comes now is as soon in InfluxDB as a few writes take, and however much comes, the past gets shorter.
    ``newest_id`` is that of the newest row, 0 if there is none; ids only grow.
    """

    def __init__(self, newest_id: int, late_seconds: float = _LATE_SECONDS) -> None:
        self._late_seconds = late_seconds
        self._past = deque([Lane(0, newest_id)] if newest_id else [])
        self._fresh = Lane(newest_id)
        self._past_is_next = False
        self._seen_at_seconds = 0.0
        self._seen_id = 0

    def look(self, now_seconds: float, newest_id: int) -> None:
        """To be called before rows are taken; by ids, not by the rows' times, for a clock may jump."""
        if now_seconds - self._seen_at_seconds < self._late_seconds:
            return
        if self._fresh.after_id < self._seen_id:
            self._past.append(Lane(self._fresh.after_id, self._seen_id))
            self._fresh = Lane(self._seen_id)
        self._seen_at_seconds, self._seen_id = now_seconds, newest_id

    def may_have(self, newest_id: int) -> bool:
        """Whether a row may be left to be taken, ``newest_id`` being the newest row's."""
        return bool(self._past) or self._fresh.after_id < newest_id

    def next(self) -> Sequence[Lane]:
        """Where to take rows from; from the second lane only if the first has none that may go."""
        if not self._past:
            return (self._fresh,)
        return (self._past[0], self._fresh) if self._past_is_next else (self._fresh, self._past[0])

    def taken(self, lane: Lane, last_id: int) -> None:
        """The rows of ``lane`` up to ``last_id`` are taken."""
        self._past_is_next = lane.is_fresh
        if lane.is_fresh:
            self._fresh = Lane(last_id)
        else:
            self._past[0] = Lane(last_id, lane.last_id)

    def past_ended(self) -> None:
        """There is no row left in the oldest lane of the past, which ``next`` gave."""
        self._past.popleft()
