"""Whether the system clock has gone on as time does: whoever removes what is old must not believe one that jumped."""

import time
from collections.abc import Callable

_DAY_MS = 86_400_000


class PassingTime:
    """Remembers when it was last told the time; ``seen_ms`` is the newest time that is known to have been, if any.

    A clock that is more than a day from where it should be is not believed for a day: so long has an operator to set it
    right. A service that was off for longer waits for that day as well, which costs nothing but room.
    """

    def __init__(self, seen_ms: int | None, clock_seconds: Callable[[], float] = time.monotonic) -> None:
        self._clock_seconds = clock_seconds
        self._seen_ms = seen_ms
        self._seen_at_seconds = clock_seconds()
        self._believed_at_seconds = self._seen_at_seconds

    def is_believable(self, now_ms: int) -> bool:
        """Whether ``now_ms`` (Unix ms) may be what the time is."""
        now_seconds = self._clock_seconds()
        if self._seen_ms is not None:
            expected_ms = self._seen_ms + int((now_seconds - self._seen_at_seconds) * 1000)
            if abs(now_ms - expected_ms) > _DAY_MS:
                self._believed_at_seconds = now_seconds + _DAY_MS / 1000
        self._seen_ms, self._seen_at_seconds = now_ms, now_seconds
        return now_seconds >= self._believed_at_seconds
