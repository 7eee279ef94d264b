"""The shipper: takes the spool's rows to InfluxDB, and forgets them only when InfluxDB has them."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from ingest.errors import DiskFailed
from ingest.fail_points import Point, Reached, never
from ingest.inquiry import Inquiry
from ingest.metrics import Metrics
from ingest.outcome import Answer, Outcome, outcome_of
from ingest.seldom import Seldom
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.lanes import Lane, Lanes
from ingest.spool.rows import Row
from ingest.spool.spool import Spool
from ingest.spool.waiting import JournalRow

# Other processes can add rows too (dead-letters replay), so an idle shipper looks by itself.
_IDLE_POLL_SECONDS = 1.0
_DISK_RETRY_SECONDS = 1.0
_DRAIN_POLL_SECONDS = 0.02
# How a row of events begins: the spool keeps them apart from other measurements.
_EVENTS = b"events,"


class Fresh(msgspec.Struct, frozen=True):
    """Rows that came from the journal, and have never been in the backlog."""

    rows: Sequence[JournalRow]


class Writer(Protocol):
    """Where the points go."""

    async def write(self, lines: bytes) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Batching:
    """How much goes into one write, how long a row may wait for company, and how many writes run at once."""

    max_points: int
    max_bytes: int
    linger_seconds: float
    writes_in_flight: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits before a write is sent again: from ``first`` up to ``longest``, or ``blocked`` if it needs a person."""

    first_seconds: float = 0.25
    longest_seconds: float = 5.0
    blocked_seconds: float = 15.0

    def delay_seconds(self, attempt: int, answer: Answer) -> float:
        """With jitter, so that several services do not come back in step; never less than the server asks for."""
        if outcome_of(answer) is Outcome.BLOCKED:
            delay = self.blocked_seconds
        else:
            delay = min(self.first_seconds * 2 ** min(attempt, 30), self.longest_seconds)
        return max(delay * random.uniform(0.5, 1.0), answer.retry_after_seconds)  # noqa: S311 - no secret


class Shipper:
    """Runs until cancelled. ``trouble`` says what keeps points from being stored now, None if nothing does."""

    def __init__(
        self,
        spool: Spool,
        writer: Writer,
        batching: Batching,
        metrics: Metrics,
        backoff: Backoff | None = None,
        *,
        reached: Reached = never,
    ) -> None:
        self._spool = spool
        self._writer = writer
        self._batching = batching
        self._metrics = metrics
        self._backoff = backoff or Backoff()
        self._reached = reached
        self._log = structlog.get_logger("shipper")
        self._tell_of_dead = Seldom(self._log.warning)
        self._tell_of_disk = Seldom(self._log.error)
        self._inquiry = Inquiry(self._write_until_answered)
        # Only their ids: the rows themselves would need memory without end.
        self._refused: asyncio.Queue[list[int]] = asyncio.Queue()
        self._taking = asyncio.Lock()
        self._lanes = Lanes(spool.backlog.depth.newest_id)
        self._backlog_is_next = False
        self._backlog_seconds = self._look_at = 0.0
        self._hurry = False
        self._of_store: str | None = None
        self._of_disk: str | None = None

    @property
    def trouble(self) -> str | None:
        return self._of_store or self._of_disk

    async def run(self) -> None:
        """Ship for ever, with several writes in flight."""
        async with asyncio.TaskGroup() as workers:
            workers.create_task(self._inquire())
            for _ in range(self._batching.writes_in_flight):
                workers.create_task(self._work())

    async def drain(self, grace_seconds: float) -> None:
        """Return when the spool is empty, the time is up, or InfluxDB takes nothing anyway."""
        self._hurry = True
        deadline = time.monotonic() + grace_seconds
        # It ends on any of three things, so no single event could wake it.
        while self._spool.depth.points and not self.trouble and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_DRAIN_POLL_SECONDS)

    async def _work(self) -> None:
        while True:
            rows = await self._take()
            if isinstance(rows, Fresh):
                await self._ship_fresh(rows.rows)
            elif not await self._stored(rows):
                others = [row for row in rows if not row.lines.startswith(_EVENTS)]
                events = [row for row in rows if row.lines.startswith(_EVENTS)]
                # Nobody's event waits for what others wrote; where it is the events that are refused, they do.
                if others and events and await self._stored(events):
                    rows = others
                self._refused.put_nowait([row.id for row in rows])

    async def _ship_fresh(self, rows: Sequence[JournalRow]) -> None:
        """Of what is refused some is good: it is taken from the backlog again, and then the inquiry finds out which."""
        is_refused = await self._write_until_answered(b"".join(row.lines for row in rows)) is not None
        self._reached(Point.AFTER_STORE)
        if not is_refused:
            await self._spool.stored(rows)
            self._metrics.stored.inc(sum(row.points for row in rows))
            return
        await self._until_taken(lambda: self._spool.move(rows), "spool_move_failed")

    async def _stored(self, rows: Sequence[Row]) -> bool:
        """Write ``rows`` and forget them; False if some of their lines are refused."""
        if await self._write_until_answered(b"".join(row.lines for row in rows)) is not None:
            return False
        await self._forget(rows)
        return True

    async def _inquire(self) -> None:
        """Find the bad lines of refused rows, which wait in the spool meanwhile and hold up no others."""
        while True:
            ids = await self._refused.get()
            wanted = set(ids)
            lane = Lane(ids[0] - 1, ids[-1])
            while rows := await self._read(lane):
                lane = Lane(rows[-1].id, ids[-1])
                if refused := [row for row in rows if row.id in wanted]:
                    await self._inquire_after(refused)

    async def _inquire_after(self, rows: Sequence[Row]) -> None:
        """All at once: most are rows of one point, and most of what was refused with them is good."""
        lines = b"".join(row.lines for row in rows)
        refused = await self._write_until_answered(lines)
        dead = await self._inquiry.dead_letters(lines, refused) if refused else []
        if refused:
            self._tell_of_dead("dead_letters", lines=len(dead), reason=dead[0].reason if dead else "")
        await self._forget(rows, dead)

    async def _take(self) -> Fresh | list[Row]:
        """What has just come and what waits in the backlog take turns."""
        async with self._taking:
            while True:
                self._spool.arrived.clear()
                if self._backlog_is_next and (rows := await self._take_from_backlog()):
                    self._backlog_is_next = False
                    return rows
                if self._fresh_seconds() <= 0:
                    self._backlog_is_next = True
                    return Fresh(self._spool.take(self._batching.max_points, self._batching.max_bytes))
                if not self._backlog_is_next and (rows := await self._take_from_backlog()):
                    return rows
                await self._wait(min(self._fresh_seconds(), self._backlog_seconds))

    def _fresh_seconds(self) -> float:
        """How long to wait before what has just come is taken."""
        waiting = self._spool.waiting
        row = waiting.next
        if row is None:
            return _IDLE_POLL_SECONDS
        if self._hurry or waiting.queued_points >= self._batching.max_points:
            return 0.0
        return self._batching.linger_seconds - (time.monotonic() - row.since_seconds)

    async def _take_from_backlog(self) -> list[Row]:
        """Rows that are to go now; where there are none, ``_backlog_seconds`` says when to look again."""
        self._backlog_seconds = _IDLE_POLL_SECONDS
        newest_id = self._spool.backlog.depth.newest_id
        self._lanes.look(time.monotonic(), newest_id)
        if not self._lanes.may_have(newest_id) and time.monotonic() < self._look_at:
            return []
        self._look_at = time.monotonic() + _IDLE_POLL_SECONDS
        for lane in self._lanes.next():
            rows = await self._read(lane)
            wait_seconds = self._wait_seconds(rows) if rows and lane.is_fresh else 0.0
            if rows and wait_seconds <= 0:
                self._lanes.taken(lane, rows[-1].id)
                return rows
            if rows:
                self._backlog_seconds = min(wait_seconds, _IDLE_POLL_SECONDS)
            elif not lane.is_fresh:
                self._lanes.past_ended()
                self._backlog_seconds = 0.0
        return []

    async def _read(self, lane: Lane) -> list[Row]:
        while True:
            try:
                rows = await self._spool.backlog.read(lane, self._batching.max_points, self._batching.max_bytes)
            except DiskFailed as error:
                self._of_disk = str(error)
                self._tell_of_disk("spool_read_failed", reason=str(error))
                await asyncio.sleep(_DISK_RETRY_SECONDS)
            else:
                self._of_disk = None
                return rows

    def _wait_seconds(self, rows: Sequence[Row]) -> float:
        """How long to wait for more points before these go; not at all where the clock was set back since they came."""
        if self._hurry or sum(row.points for row in rows) >= self._batching.max_points:
            return 0.0
        age_seconds = time.time() - rows[0].time_ms / 1000
        return self._batching.linger_seconds - age_seconds if age_seconds >= 0 else 0.0

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._spool.arrived.wait()
        except TimeoutError:
            pass

    async def _write_until_answered(self, lines: bytes) -> Answer | None:
        """None once stored, or the answer that refuses some of the lines; anything else is tried again for ever."""
        attempt = 0
        while True:
            started = time.perf_counter()
            answer = await self._writer.write(lines)
            self._metrics.write_seconds.observe(time.perf_counter() - started)
            match outcome_of(answer):
                case Outcome.STORED:
                    self._well()
                    return None
                case Outcome.REFUSED:
                    self._well()
                    return answer
            self._unwell(answer)
            await asyncio.sleep(self._backoff.delay_seconds(attempt, answer))
            attempt += 1

    async def _forget(self, rows: Sequence[Row], dead: Sequence[DeadLetter] = ()) -> None:
        self._reached(Point.AFTER_STORE)
        # The points are stored; that they are sent again after a restart changes nothing.
        await self._until_taken(lambda: self._spool.backlog.remove(rows, dead), "spool_remove_failed")
        self._metrics.stored.inc(sum(row.points for row in rows) - len(dead))
        self._metrics.dead.inc(len(dead))

    async def _until_taken(self, commit: Callable[[], Awaitable[None]], trouble: str) -> None:
        while True:
            try:
                return await commit()
            except DiskFailed as error:
                self._tell_of_disk(trouble, reason=str(error))
                await asyncio.sleep(_DISK_RETRY_SECONDS)

    def _unwell(self, answer: Answer) -> None:
        self._metrics.retries.labels(str(answer.status or "none")).inc()
        if self._of_store is None:
            self._log.warning(
                "store_trouble", status=answer.status, reason=answer.reason, outcome=outcome_of(answer).value
            )
        self._of_store = f"InfluxDB does not take points ({answer.status or 'no answer'}): {answer.reason}"

    def _well(self) -> None:
        if self._of_store is not None:
            self._log.info("store_well", spool_points=self._spool.depth.points)
        self._of_store = None
