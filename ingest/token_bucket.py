"""A limit on how often something may happen, with room for a burst."""

import time
from collections.abc import Callable


class TokenBucket:
    """Holds up to ``burst`` tokens, is full at first, and gains ``per_second``; one thread at a time may use it."""

    def __init__(self, per_second: float, burst: float, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock_seconds = clock_seconds
        self._tokens = burst
        self._filled_at = clock_seconds()

    def take(self) -> float:
        """Take a token and return 0.0; or take none, and return the seconds until there is one."""
        wait_seconds = self.wait_seconds()
        if not wait_seconds:
            self._tokens -= 1.0
        return wait_seconds

    def wait_seconds(self) -> float:
        """The seconds until there is a token; 0.0 if there is one now."""
        now = self._clock_seconds()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        return 0.0 if self._tokens >= 1.0 else (1.0 - self._tokens) / self._per_second
