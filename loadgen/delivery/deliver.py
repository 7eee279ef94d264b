"""Delivering a source's batches in order, a few of them under way at a time, until all are answered for."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from loadgen.access import OPEN, Access
from loadgen.connection import Connection, NoAnswerError
from loadgen.delivery.batch import Batch
from loadgen.delivery.courier import Courier, RefusedError, couriers
from loadgen.delivery.outage import GivenUpError, Outage
from loadgen.standing import Reporter, Standing
from loadgen.target import Target
from loadgen.verdict import Verdict

GRACE_SECONDS = 2


class Source(Protocol):
    """Gives batches, None at the end, and keeps account of what becomes of them."""

    async def take(self) -> Batch | None: ...
    def sent(self, batch: Batch, /) -> None: ...
    def answered(self, batch: Batch, verdict: Verdict, latency_ns: int, /) -> None: ...
    def close_second(self) -> Standing: ...


@dataclass(frozen=True)
class Service:
    """Where to deliver, and how patiently; a patience of None has no end."""

    url: str
    connections: int
    timeout_seconds: float
    patience_seconds: float | None
    access: Access = OPEN


class AwayError(Exception):
    """Nobody listens at the service's address; the text is the reason."""


@dataclass
class Ending:
    """How a delivery ended: by itself, by a signal, or by a failure that a sentence explains."""

    failure: str | None = None
    interrupted: bool = False
    retries: int = 0


async def deliver(source: Source, service: Service, reporter: Reporter) -> Ending:
    """Deliver all. After a signal take no more and wait up to 2 s for answers, after a second one not even that.

    Raises AwayError if nobody is there at the start.
    """
    await _find(service)
    outage = Outage(service.patience_seconds, reporter.tell)
    with reporter:
        async with couriers(
            service.url, service.connections, service.timeout_seconds, outage, service.access
        ) as courier:
            delivery = Delivery(source, courier)
            async with _ticking(delivery, source, reporter), _interruptible(delivery):
                await delivery.run(service.connections)
            delivery.ending.retries = courier.retries
    return delivery.ending


class Delivery:
    """Workers that take, deliver and keep account, until there is no more or they are to stop."""

    def __init__(self, source: Source, courier: Courier) -> None:
        self.ending = Ending()
        self._source = source
        self._courier = courier
        self._stop = asyncio.Event()
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None] | None] = set()

    def interrupt(self) -> None:
        if self._stop.is_set():
            for worker in self._workers:
                worker.cancel()
        self.ending.interrupted = True
        self._stop.set()

    def fail(self, reason: str) -> None:
        self.ending.failure = self.ending.failure or reason
        self._stop.set()

    async def run(self, connections: int) -> None:
        self._workers = {asyncio.create_task(self._work()) for _ in range(connections)}
        heeding = asyncio.create_task(self._heed())
        await asyncio.wait(self._workers)
        heeding.cancel()
        for worker in self._workers:
            with suppress(asyncio.CancelledError):
                await worker

    async def _work(self) -> None:
        try:
            while (batch := await self._next()) is not None:
                self._source.sent(batch)
                started_ns = time.monotonic_ns()
                verdict = await self._courier.deliver(batch)
                self._source.answered(batch, verdict, time.monotonic_ns() - started_ns)
        except (RefusedError, GivenUpError) as error:
            self.fail(str(error))

    async def _next(self) -> Batch | None:
        if self._stop.is_set():
            return None
        worker = asyncio.current_task()
        self._idle.add(worker)
        try:
            return await self._source.take()
        finally:
            self._idle.discard(worker)

    async def _heed(self) -> None:
        await self._stop.wait()
        # Who waits for a next batch has nothing to lose.
        for worker in self._workers & self._idle:
            worker.cancel()
        await asyncio.sleep(0 if self.ending.failure else GRACE_SECONDS)
        for worker in self._workers:
            worker.cancel()


async def _find(service: Service) -> None:
    target = Target.parse(service.url)
    connection = Connection(target, service.timeout_seconds, service.access.context_for(target))
    try:
        await connection.open()
    except NoAnswerError as reason:
        raise AwayError(str(reason)) from reason
    await connection.close()


@asynccontextmanager
async def _ticking(delivery: Delivery, source: Source, reporter: Reporter) -> AsyncIterator[None]:
    async def tick() -> None:
        due = asyncio.get_running_loop().time()
        while True:
            due += 1
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            try:
                reporter.report(source.close_second())
            except OSError as error:
                # Of results that can't be written any more, and a delivery nobody can verify is not to go on.
                delivery.fail(error.strerror or str(error))

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()


@asynccontextmanager
async def _interruptible(delivery: Delivery) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, delivery.interrupt)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
