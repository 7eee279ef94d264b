"""All workers beside the main process: what they say reaches it, and what it asks reaches them."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from ingest.background import beside
from ingest.events import Events
from ingest.live.arrivals import Arrivals
from ingest.series.registry import Registry
from ingest.settings import Settings
from ingest.workers.member import Member
from ingest.workers.messages import Arrived, FromWorker, Known, Listen, Opened
from ingest.workers.shares import share

_LOOK_SECONDS = 1.0
_SILENT_SECONDS = 3.5
_START_SECONDS = 60.0
# More than the grace time: what a worker does when it stops has an end of its own, but for a disk that hangs.
_PATIENCE_SECONDS = 10.0


class Crew:
    """Workers 2 to ``settings.workers``; their events come to ``arrivals``. Inside ``running`` they run."""

    def __init__(self, settings: Settings, arrivals: Arrivals) -> None:
        self.settings = settings
        self._arrivals = arrivals
        self._series: Registry | None = None
        self._port: int | None = None
        self._tasks: list[asyncio.Task[None]] = []
        part = share(settings)
        self.members = [Member(number, part, self._hear) for number in range(2, settings.workers + 1)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What is started inside has ended when the context has."""
        try:
            async with beside(self._look()):
                yield
        finally:
            self.stop()
            await self._ended()

    async def start(self, series: Registry) -> None:
        """Return when all have opened their spools; they know of ``series``, and it of theirs.

        Raises OSError if one does not.
        """
        self._series = series
        series.tell(self._tell)
        self._tasks = [asyncio.create_task(member.run()) for member in self.members]
        await self._all(member.opened for member in self.members)

    async def listen(self, port: int) -> None:
        """Return when all take connections. Raises OSError if one does not."""
        self._port = port
        for member in self.members:
            self._open_up(member)
        await self._all(member.listens for member in self.members)
        await self.look()

    def stop(self) -> None:
        """Let them finish; none is started any more."""
        for member in self.members:
            member.stop()

    def reload(self) -> None:
        """Have them read tokens and certificates again."""
        for member in self.members:
            member.reload()

    async def look(self) -> None:
        """How each is now stands in its report."""
        await asyncio.gather(*(member.look() for member in self.members))

    def reasons(self) -> list[str]:
        """Why some of what is sent may not be kept now."""
        return [said for member in self.members for said in self._said(member)[0]]

    def warnings(self) -> list[str]:
        return [said for member in self.members for said in self._said(member)[1]]

    def gauges(self) -> dict[str, float]:
        return {"workers": 1 + sum(member.listens.is_set() for member in self.members)}

    def _said(self, member: Member) -> tuple[Sequence[str], Sequence[str]]:
        report = member.report
        if report is None or time.monotonic() - member.reported_at > _SILENT_SECONDS:
            what = "does not answer" if member.listens.is_set() else "does not run, and is started again"
            return [f"worker {member.number} {what}"], []
        named = f"worker {member.number}: "
        return [named + reason for reason in report.reasons], [named + warning for warning in report.warnings]

    def _hear(self, member: Member, message: FromWorker) -> None:
        if isinstance(message, Arrived):
            self._arrivals.add(Events(message.timestamps_ms, message.tags, message.valores))
        elif isinstance(message, Opened | Known) and self._series is not None:
            self._series.learned(message.series)
            self._tell(message.series, but=member)
            if isinstance(message, Opened) and self._port is not None:
                self._open_up(member)

    def _open_up(self, member: Member) -> None:
        if self._series is not None and self._port is not None:
            member.send(Listen(self._port, self._series.ids()))

    def _tell(self, series: Sequence[int], but: Member | None = None) -> None:
        """Or a sensor that is known to one worker would be new to the next that its connections come to."""
        for member in self.members:
            if member is not but and member.opened.is_set():
                member.send(Known(list(series)))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for task in self._tasks:
                if task.done():
                    # It ends on its own only of a mistake of ours: then the service ends, too.
                    task.result()
            await self.look()

    async def _all(self, are_there: Iterable[asyncio.Event]) -> None:
        """Wait for all of them. Raises OSError if that is in vain."""
        there = asyncio.create_task(_all_set(are_there))
        failed = [asyncio.create_task(member.failed.wait()) for member in self.members]
        waiting: list[asyncio.Task[Any]] = [there, *failed]
        try:
            await asyncio.wait(waiting, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not there.done():
                bad = [str(member.number) for member in self.members if not member.listens.is_set()]
                raise OSError(f"workers: {', '.join(bad)} did not start; the log says why")
        finally:
            for each in waiting:
                each.cancel()

    async def _ended(self) -> None:
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self.settings.grace_seconds + _PATIENCE_SECONDS)
        for member, task in zip(self.members, self._tasks, strict=True):
            if task in late:
                structlog.get_logger("workers").error("worker_killed", worker=member.number)
                member.kill()
        await asyncio.wait(self._tasks)


async def _all_set(events: Iterable[asyncio.Event]) -> None:
    for event in events:
        await event.wait()
