"""An outage: a time in which nothing gets through. Each of its reasons is told once, and its end."""

import asyncio
from collections.abc import Callable
from time import monotonic


class GivenUpError(Exception):
    """The outage lasted longer than the patience; the text is the last reason."""


class Outage:
    """Waits for the service, for up to ``patience_seconds`` in a row; None waits for ever."""

    def __init__(self, patience_seconds: float | None, tell: Callable[[str], None]) -> None:
        self._patience_seconds = patience_seconds
        self._tell = tell
        self._since: float | None = None
        self._told: set[str] = set()

    async def wait(self, reason: str, seconds: float) -> None:
        """Wait after a failure. Raises GivenUpError."""
        now = monotonic()
        if self._since is None:
            self._since = now
        left = None if self._patience_seconds is None else self._since + self._patience_seconds - now
        if left is not None and left <= 0:
            raise GivenUpError(f"nothing got through for {self._patience_seconds:g} s: {reason}")
        if reason not in self._told:
            self._told.add(reason)
            self._tell(f"waiting for the service ({reason})")
        await asyncio.sleep(seconds if left is None else min(seconds, left))

    def over(self) -> None:
        """Something got through."""
        if self._since is not None:
            self._tell(f"going on after {monotonic() - self._since:.1f} s")
            self._since = None
            self._told.clear()
