"""What is known of the disk: whether it took what was written last."""

import sqlite3
import time
from collections.abc import Awaitable

from ingest.errors import DiskFailed
from ingest.sqlite import is_full

_CLOSED_SECONDS = 1.0


class Disk:
    """``failure`` says why it took nothing the last time, None if it did."""

    def __init__(self) -> None:
        self.failure: str | None = None
        self._closed_until = 0.0

    def check(self) -> None:
        """Raises DiskFailed while nothing new should be tried."""
        if self.failure and time.monotonic() < self._closed_until:
            raise DiskFailed(self.failure)

    async def committed(self, commit: Awaitable[None]) -> None:
        """Wait for it. Raises DiskFailed for what the disk says."""
        try:
            await commit
        except (sqlite3.Error, OSError) as error:
            self.failure = f"the spool cannot be written: {error}"
            if is_full(error):
                # Shipped rows are removed meanwhile: a group with new ones among them would fail as a whole.
                self._closed_until = time.monotonic() + _CLOSED_SECONDS
            raise DiskFailed(self.failure) from error
        self.failure = None
