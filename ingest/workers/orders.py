"""What the main process wants of a worker."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ingest.archive.archive import Archive
from ingest.backend import Intake
from ingest.errors import DiskFailed
from ingest.metrics import Metrics
from ingest.workers.channel import Channel
from ingest.workers.families import families_of
from ingest.workers.messages import (
    Counted,
    Dirty,
    Done,
    HowAreYou,
    Known,
    Listen,
    Question,
    Report,
    Stop,
    ToWorker,
    WhatIsDirty,
)


class Orders:
    """Obeys what comes over ``channel``. ``stop`` is set when it is to end, or the main process has."""

    def __init__(self, channel: Channel[ToWorker], messages: AsyncIterator[ToWorker], stop: asyncio.Event) -> None:
        self.stop = stop
        self._channel = channel
        self._messages = messages
        self._listen: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._intake: Intake | None = None
        self._archive: Archive | None = None
        self._metrics: Metrics | None = None
        self._answering: set[asyncio.Task[None]] = set()

    def of(self, intake: Intake, archive: Archive | None, metrics: Metrics) -> None:
        """From now on it can be asked."""
        self._intake, self._archive, self._metrics = intake, archive, metrics

    async def end(self) -> None:
        """From now on there is no answer: what was asked about is being closed."""
        self._intake = None
        for answering in self._answering:
            answering.cancel()
        if self._answering:
            await asyncio.wait(self._answering)

    async def port(self) -> int | None:
        """Where to listen, when it is time; None if that never comes."""
        stopped = asyncio.create_task(self.stop.wait())
        either: list[asyncio.Future[Any]] = [self._listen, stopped]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        return self._listen.result() if self._listen.done() else None

    async def follow(self) -> None:
        """Until the main process is gone."""
        async for message in self._messages:
            self._obey(message)
        self.stop.set()

    def _obey(self, message: ToWorker) -> None:
        if isinstance(message, Stop):
            self.stop.set()
        elif isinstance(message, Question):
            answering = asyncio.create_task(self._answer(message))
            self._answering.add(answering)
            answering.add_done_callback(self._answering.discard)
        elif isinstance(message, Known | Listen) and self._intake is not None:
            self._intake.series.learned(message.series)
            if isinstance(message, Listen) and not self._listen.done():
                self._listen.set_result(message.port)

    async def _answer(self, question: Question) -> None:
        intake, metrics = self._intake, self._metrics
        if intake is None or metrics is None or intake.spool is None:
            return
        try:
            match question:
                case HowAreYou(number):
                    reasons, families = await intake.reasons(), families_of(metrics.collect())
                    warnings = [*intake.warnings(), *(self._archive.warnings() if self._archive else ())]
                    self._channel.send(Report(number, families, intake.depth, reasons, warnings))
                case WhatIsDirty(number, limit):
                    self._channel.send(Dirty(number, await intake.spool.dirty(limit)))
                case Counted(number, minutes):
                    await intake.spool.clean(minutes)
                    self._channel.send(Done(number))
        except DiskFailed:
            # Its own /ready says so; the question stays without an answer, and is asked again.
            return
