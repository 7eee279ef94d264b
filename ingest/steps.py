"""The steps of a graph: how long each is, and what its numbers are read from."""

from typing import Final

import msgspec

from ingest.minutes import HOUR_MS, MINUTE_MS

SECOND_MS: Final = 1_000
DAY_MS: Final = 24 * HOUR_MS
# Longer than that, the events themselves are too many to be added up for every look at a graph.
LONGEST_OF_EVENTS_MS: Final = 15 * MINUTE_MS

# Each divides the next unit, so that steps begin at full minutes, hours and days.
STEPS_MS: Final = (
    *(n * SECOND_MS for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE_MS for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR_MS for n in (1, 2, 3, 6, 12)),
    DAY_MS,
)


class Steps(msgspec.Struct, frozen=True):
    """Whole steps of ``step_ms`` from ``start_ms`` up to, not including, ``stop_ms``; all multiples of ``step_ms``."""

    start_ms: int
    stop_ms: int
    step_ms: int

    @property
    def source(self) -> str:
        """What a store reads: the events, or what it has counted by minutes or hours."""
        if self.step_ms % MINUTE_MS:
            return "events"
        return "minutes" if self.step_ms % HOUR_MS else "hours"


def steps(start_ms: int, stop_ms: int, points: int) -> Steps:
    """The shortest steps of which not more than ``points`` begin within the range; a day at most."""
    length_ms = stop_ms - start_ms
    least_ms = SECOND_MS if length_ms <= LONGEST_OF_EVENTS_MS else MINUTE_MS
    step_ms = next((step for step in STEPS_MS if step >= least_ms and step * points >= length_ms), DAY_MS)
    return aligned(start_ms, stop_ms, step_ms)


def aligned(start_ms: int, stop_ms: int, step_ms: int) -> Steps:
    """The steps that the range touches."""
    return Steps(start_ms - start_ms % step_ms, -(-stop_ms // step_ms) * step_ms, step_ms)
