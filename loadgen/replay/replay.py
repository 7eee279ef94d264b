"""A replay: recorded lines in batches, each when it is due, and what became of them."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from loadgen.delivery.batch import Batch
from loadgen.replay.feed import Feed
from loadgen.replay.lines import Line
from loadgen.replay.pace import Pace
from loadgen.replay.problems import Problems
from loadgen.replay.recording import Recording
from loadgen.standing import Standing
from loadgen.verdict import Verdict

MOST_BYTES = 1_000_000
# So many lines as the service would name one by one, were it to refuse them all.
MOST_LINES = 1000
GATHER_SECONDS = 0.05


@dataclass
class Count:
    """Lines: read as good ones, sent at least once, answered for, and of these taken."""

    read: int = 0
    sent: int = 0
    answered: int = 0
    acked: int = 0
    requests: int = 0


class Replay:
    """To be made within a running loop, for it begins to read at once. ``total_bytes`` None is not known."""

    def __init__(
        self, recording: Recording, feed: Feed, pace: Pace, problems: Problems, total_bytes: int | None
    ) -> None:
        self.count = Count()
        self._recording = recording
        self._feed = feed
        self._pace = pace
        self._problems = problems
        self._total_bytes = total_bytes
        self._ready: deque[Line] = deque()
        self._under_way: dict[int, list[Line]] = {}
        self._turn = asyncio.Lock()
        self._seconds = self._answered_before = 0
        self._taken_bytes = self._now_ms = 0

    async def take(self) -> Batch | None:
        # One at a time: the order of time is the order of sending.
        async with self._turn:
            if not await self._fill():
                return None
            await self._wait_until_due(self._ready[0])
            await self._gather()
            return self._batch()

    def sent(self, batch: Batch) -> None:
        self.count.sent += len(batch.lines)
        self.count.requests += 1

    def answered(self, batch: Batch, verdict: Verdict, _latency_ns: int) -> None:
        lines = self._under_way.pop(batch.first)
        self.count.answered += len(lines)
        self.count.acked += len(lines) - len(verdict.rejected)
        for rejection in verdict.rejected:
            line = lines[rejection.index]
            self._problems.rejected_line(line.file, line.number, rejection.reason)

    def close_second(self) -> Standing:
        self._seconds += 1
        rate, self._answered_before = self.count.answered - self._answered_before, self.count.answered
        done = self._recording.bytes_read * self._taken_bytes / max(self._feed.bytes_read, 1)
        text = f"{rate:,}/s, {self.count.acked:,} acked, at {shown(self._now_ms)}"
        return Standing(self._seconds, done, self._total_bytes, text)

    async def _fill(self) -> bool:
        """Whether there is a line."""
        while not self._ready and not self._feed.ended:
            self._ready.extend(await self._feed.more())
        return bool(self._ready)

    async def _wait_until_due(self, line: Line) -> None:
        self._now_ms = line.timestamp
        await asyncio.sleep(max(0.0, self._pace.wait_seconds(line.timestamp)))

    async def _gather(self) -> None:
        """Give further lines a moment to arrive and to fall due."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GATHER_SECONDS
        while not self._has_batch and (left_seconds := deadline - loop.time()) > 0:
            if len(self._ready) >= MOST_LINES or self._feed.ended:
                await asyncio.sleep(left_seconds)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(left_seconds):
                    self._ready.extend(await self._feed.more())

    @property
    def _has_batch(self) -> bool:
        """Whether a whole batch, or all the rest, is due."""
        if len(self._ready) < MOST_LINES and not self._feed.ended:
            return False
        last = self._ready[min(MOST_LINES, len(self._ready)) - 1]
        return self._pace.wait_seconds(last.timestamp) <= 0

    def _batch(self) -> Batch:
        first = self.count.read
        lines = [self._ready.popleft()]
        size = len(lines[0].raw)
        while self._ready and len(lines) < MOST_LINES and self._fits(size, self._ready[0]):
            line = self._ready.popleft()
            size += len(line.raw)
            lines.append(line)
        self.count.read += len(lines)
        self._taken_bytes += size
        self._under_way[first] = lines
        return Batch(first, tuple(line.raw for line in lines))

    def _fits(self, size: int, line: Line) -> bool:
        return size + len(line.raw) <= MOST_BYTES and self._pace.wait_seconds(line.timestamp) <= 0


def shown(time_ms: int) -> str:
    """A time as people read it, or nothing if it is none."""
    try:
        return datetime.fromtimestamp(time_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"
