"""One worker as the main process sees it: its process, what it says, and what it was asked."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import TypeVar

import structlog

from ingest.settings import Settings
from ingest.workers.channel import Channel
from ingest.workers.families import Family, growing, together
from ingest.workers.messages import (
    Answer,
    Begin,
    Dirty,
    Done,
    FromWorker,
    HowAreYou,
    Listening,
    Message,
    Opened,
    Question,
    Report,
    Stop,
    encoded,
)

# More than a worker takes to find out that its disk does not answer.
_ANSWER_SECONDS = 2.5
# A worker that keeps dying is not started more often than this.
_FIRST_REST_SECONDS = 0.25
_LONGEST_REST_SECONDS = 10.0
_LONG_LIFE_SECONDS = 30.0

Asked = TypeVar("Asked", Report, Dirty, Done)
Hear = Callable[["Member", FromWorker], None]


class Member:
    """Worker ``number``: started by ``run``, and again whenever it ends, until ``stop``.

    ``hear`` is told what it says, but for answers. ``report`` is the newest, None while it does not run. ``failed`` is
    set once it has ended before it listened.
    """

    def __init__(self, number: int, settings: Settings, hear: Hear) -> None:
        self.number = number
        self.opened = asyncio.Event()
        self.listens = asyncio.Event()
        self.failed = asyncio.Event()
        self.report: Report | None = None
        self.reported_at = 0.0
        self._settings = settings
        self._hear = hear
        self._gone: list[Family] = []
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel[FromWorker] | None = None
        self._numbers = count()
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger("workers")

    @property
    def families(self) -> list[Family]:
        """Its metrics, with what its predecessors have counted."""
        return together([self._gone, self.report.families if self.report else []])

    async def run(self) -> None:
        """Return when it has been told to stop and has ended, whatever way that was."""
        rest_seconds = _FIRST_REST_SECONDS
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                code = await self._live()
                # Somebody may stop a single one, with SIGTERM.
                tell, reason = (self._log.error if code else self._log.info), f"exit code {code}"
            except OSError as error:
                tell, reason = self._log.error, str(error)
                self.failed.set()
            if self._stopping.is_set():
                return
            tell("worker_ended", worker=self.number, reason=reason)
            has_lived = time.monotonic() - started > _LONG_LIFE_SECONDS
            rest_seconds = _FIRST_REST_SECONDS if has_lived else min(rest_seconds * 2, _LONGEST_REST_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), rest_seconds)

    def send(self, message: Message) -> None:
        """To one that does not run it is lost."""
        if self._channel is not None:
            self._channel.send(message)

    async def ask(self, question: Callable[[int], Question], answer: type[Asked]) -> Asked | None:
        """The answer; None if it does not come in time, or the worker does not run."""
        if not self.listens.is_set():
            return None
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self.send(question(number))
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                said = await self._asked[number]
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._asked.pop(number, None)
        return said if isinstance(said, answer) else None

    async def look(self) -> None:
        """Ask how it is."""
        report = await self.ask(HowAreYou, Report)
        if report is not None and self.listens.is_set():
            self.report, self.reported_at = report, time.monotonic()

    def stop(self) -> None:
        self._stopping.set()
        self.send(Stop())

    def reload(self) -> None:
        """Have it read its tokens and certificates again."""
        # Before it listens the signal would end it, and what it reads then is new anyway.
        if self.listens.is_set():
            self._signal(signal.SIGHUP)

    def kill(self) -> None:
        """What it acked is on disk."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            if self._process is not None:
                self._process.send_signal(number)

    async def _live(self) -> int:
        """One process from its start to its end; the exit code."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "ingest.workers.worker", str(self.number), str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                # Ctrl-C is for the main process, which tells the others.
                start_new_session=True,
            )
        channel: Channel[FromWorker] = await Channel.over(ours, FromWorker)
        self._channel = channel
        self.send(Begin(encoded(self._settings)))
        if self._stopping.is_set():
            self.send(Stop())
        async for message in channel.received():
            self._take(message)
        self._end()
        await channel.close()
        return await process.wait()

    def _take(self, message: FromWorker) -> None:
        if isinstance(message, Answer):
            asked = self._asked.get(message.number)
            if asked is not None and not asked.done():
                asked.set_result(message)
        elif isinstance(message, Listening):
            self.listens.set()
        else:
            if isinstance(message, Opened):
                self.opened.set()
            self._hear(self, message)

    def _end(self) -> None:
        self._channel = None
        if not self.listens.is_set():
            self.failed.set()
        self.opened.clear()
        self.listens.clear()
        if self.report is not None:
            self._gone = together([self._gone, growing(self.report.families)])
            self.report = None
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(ConnectionResetError("the worker has ended"))
