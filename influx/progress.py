"""How far a rebuild of the rollup is: all the time on a terminal, every ten seconds elsewhere."""

import sys
import time
from datetime import UTC, datetime

from influx.rollup import Hour

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Tells each hour that was counted."""

    def __init__(self) -> None:
        self._hours = self._events = 0
        self._last = time.monotonic()

    def add(self, hour: Hour) -> None:
        self._hours += 1
        self._events += hour.events
        reached = datetime.fromtimestamp(hour.start_ms / 1000, UTC).isoformat(timespec="minutes")
        if sys.stderr.isatty():
            print(f"\r{self._said()}, back to {reached}\033[K", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._last > SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            print(f"{self._said()}, back to {reached}", file=sys.stderr, flush=True)

    def end(self) -> None:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        print(self._said())

    def _said(self) -> str:
        return f"{self._events} events in {self._hours} {'hour' if self._hours == 1 else 'hours'} counted"
