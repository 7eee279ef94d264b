"""The pace of a replay: when each line is due."""

import time


class Pace:
    """The events' own spacing, ``speed`` times faster; a speed of 0 makes everything due at once."""

    def __init__(self, speed: float) -> None:
        self._ms_a_second = 1000 * speed
        self._start: float | None = None
        self._first_ms = 0

    def wait_seconds(self, timestamp_ms: int) -> float:
        """How long until the line is due, negative if it has been for a while; the first one is due at once."""
        if not self._ms_a_second:
            return 0.0
        now = time.monotonic()
        if self._start is None:
            self._start, self._first_ms = now, timestamp_ms
        return self._start + (timestamp_ms - self._first_ms) / self._ms_a_second - now
