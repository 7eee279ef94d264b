"""The pacer: pure arithmetic from an index to a planned time."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from loadgen.plan import Plan

NS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Pacer:
    """When every event happens and every request is due, in ns after the start of the run.

    Events are numbered from 0 and spread evenly, ``event_count`` of them in ``in_ns``; a count of 0 is no pace at
    all, everything is due at once. Request ``i`` carries events ``i * batch`` and the following.
    """

    event_count: int
    in_ns: int
    batch: int
    events: int | None

    @classmethod
    def of(cls, plan: Plan) -> Self:
        rate = Fraction(plan.rate).limit_denominator(1_000_000)
        return cls(rate.numerator, rate.denominator * NS_PER_SECOND, plan.batch, _planned_events(plan, rate))

    def event_ns(self, event: int) -> int:
        # Whole numbers all the way: rounding must not put two events of a sensor into one millisecond.
        return event * self.in_ns // self.event_count if self.event_count else 0

    def request_ns(self, request: int) -> int:
        """A request leaves once its last event has happened, so no event comes from the future."""
        return self.event_ns(request * self.batch + max(self.size(request), 1) - 1)

    def size(self, request: int) -> int:
        """How many events the request carries; 0 after the last one."""
        if self.events is None:
            return self.batch
        return max(0, min(self.batch, self.events - request * self.batch))

    @property
    def end_ns(self) -> int:
        """When the time of the last event is over; 0 if the run has no planned end."""
        return self.event_ns(self.events) if self.events is not None else 0


def _planned_events(plan: Plan, rate: Fraction) -> int | None:
    if plan.duration_seconds is None or plan.closed_loop:
        return plan.events
    in_time = math.ceil(rate * Fraction(plan.duration_seconds).limit_denominator(1_000_000))
    return in_time if plan.events is None else min(in_time, plan.events)
