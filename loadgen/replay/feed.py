"""The feed: lines read by a thread, which may block on a pipe for as long as it likes, handed to the event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from loadgen.replay.lines import Line

MOST_BYTES: Final = 8 * 2**20
BYTES_A_LINE: Final = 300


class Feed:
    """Reads ahead by about 8 MiB; to be made within a running loop. ``ended`` once all lines are handed over."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.ended = False
        self.bytes_read = 0
        self._lines = lines
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._guard = threading.Condition()
        self._waiting: list[Line] = []
        self._bytes = 0
        self._exhausted = False
        self._error: Exception | None = None
        # A daemon, for nothing can wake it from reading a silent pipe.
        threading.Thread(target=self._read, daemon=True).start()

    async def more(self) -> list[Line]:
        """Wait for more lines; none if there are no more. What reading raised is raised here."""
        await self._news.wait()
        with self._guard:
            lines, self._waiting, self._bytes = self._waiting, [], 0
            self._news.clear()
            self.ended = self._exhausted
            self._guard.notify()
        if self.ended:
            self._news.set()
        if self._error and not lines:
            raise self._error
        return lines

    def _read(self) -> None:
        try:
            for line in self._lines:
                self._hand_over(line)
        except Exception as error:
            self._error = error
        with self._guard:
            self._exhausted = True
        self._wake()

    def _hand_over(self, line: Line) -> None:
        with self._guard:
            while self._bytes > MOST_BYTES:
                self._guard.wait()
            self._waiting.append(line)
            self.bytes_read += len(line.raw)
            self._bytes += len(line.raw) + BYTES_A_LINE
            first = len(self._waiting) == 1
        if first:
            self._wake()

    def _wake(self) -> None:
        # Nobody listens any more once the loop is closed.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)
