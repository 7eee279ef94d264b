"""The pacer: pure arithmetic from an index to a planned time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Self

from loadgen.pace import NS_PER_SECOND, Pace
from loadgen.plan import Plan, Stage

NS_PER_MS = 1_000_000
FOREVER_SECONDS = 10**18


@dataclass(frozen=True)
class Pacer:
    """When every event happens and every request is due, in ns after the start of the run.

    Events are numbered from 0; of a run that several processes share, event ``i`` of this share is event
    ``i * processes + share`` of the whole. Request ``i`` carries events ``i * batch`` and the following. Without a
    pace everything is due at once.
    """

    pace: Pace | None
    batch: int
    events: int | None
    processes: int = 1
    share: int = 0

    @classmethod
    def of(cls, plan: Plan) -> Self:
        pace = None if plan.closed_loop else Pace(plan.stages or [Stage(plan.rate, plan.rate, FOREVER_SECONDS)])
        whole = _planned_events(plan, pace)
        events = None if whole is None else max(0, -(-(whole - plan.share) // plan.processes))
        return cls(pace, plan.batch, events, plan.processes, plan.share)

    def event_ns(self, event: int) -> int:
        # Whole numbers all the way: rounding must not put two events of a sensor into one millisecond.
        return self.pace.event_ns(event * self.processes + self.share) if self.pace else 0

    def events_ms(self) -> Iterator[int]:
        """``event_ns`` of each event in turn, in whole ms, without end; a lot faster where a ms holds many."""
        event, ms = 0, 0
        while self.pace and ms < self.pace.end_ns // NS_PER_MS:
            ms = self.event_ns(event) // NS_PER_MS
            later = -(-(self.pace.count((ms + 1) * NS_PER_MS) - self.share) // self.processes)
            yield from repeat(ms, later - event)
            event = later
        yield from repeat(ms)

    def request_ns(self, request: int) -> int:
        """A request leaves once its last event has happened, so no event comes from the future."""
        return self.event_ns(request * self.batch + (self.size(request) or 1) - 1)

    def size(self, request: int) -> int:
        """How many events the request carries; 0 after the last one."""
        if self.events is None:
            return self.batch
        left = self.events - request * self.batch
        return self.batch if left >= self.batch else max(left, 0)

    @property
    def end_ns(self) -> int:
        """When the time of the last event is over; 0 if the run has no planned end."""
        return self.event_ns(self.events) if self.events is not None else 0


def _planned_events(plan: Plan, pace: Pace | None) -> int | None:
    """Of the whole run, by all processes together."""
    if pace is None or (plan.duration_seconds is None and not plan.stages):
        return plan.events
    in_time = pace.count(round((plan.duration_seconds or FOREVER_SECONDS) * NS_PER_SECOND))
    return in_time if plan.events is None else min(in_time, plan.events)
