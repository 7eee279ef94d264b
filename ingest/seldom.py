"""Logs that others cannot make long: of what a sender can cause, a line now and then."""

import time
from collections.abc import Callable
from typing import Any

REST_SECONDS = 60.0


class Seldom:
    """Passes the first call on to ``log``, then one in ``rest_seconds``, which says how many were ``held_back``."""

    def __init__(
        self,
        log: Callable[..., Any],
        rest_seconds: float = REST_SECONDS,
        clock_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._rest_seconds = rest_seconds
        self._clock_seconds = clock_seconds
        self._due_seconds = clock_seconds()
        self._held_back = 0

    def __call__(self, event: str, **details: Any) -> None:
        """Log ``event``, or count it."""
        now_seconds = self._clock_seconds()
        if now_seconds < self._due_seconds:
            self._held_back += 1
            return
        self._log(event, **details, held_back=self._held_back)
        self._due_seconds, self._held_back = now_seconds + self._rest_seconds, 0
