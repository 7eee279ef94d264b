"""Senders: post readings in every format, as fast as they are answered, and write down all that happens."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

import aiohttp

from tests.faults.bodies import FORMATS, Body, line_protocol, single
from tests.faults.history import SLOWEST_ANSWER_SECONDS, History
from tests.faults.readings import Reading, Readings

_SENDERS = 6
# Of one sender. A minute is over in no time: what its count is then, no later event mends.
_STEP_MS = 1_000
_MOST_READINGS = 40
_PAUSE_SECONDS = 0.02
_PAUSE_UNANSWERED_SECONDS = 0.1
# Longer than any answer may take: a sender that gave up earlier could not tell a hang.
_GIVE_UP_SECONDS = 2 * SLOWEST_ANSWER_SECONDS

_AGAIN = 0.8
_AGAIN_THOUGH_ACKED = 0.05


class Sender:
    """One client. For the most part it sends a body again that got no ack, and sometimes one that did."""

    def __init__(self, url: str, random: Random, readings: Readings, history: History) -> None:
        self._url = url
        self._random = random
        self._readings = readings
        self._history = history
        self._again: deque[tuple[Sequence[Reading], Body]] = deque(maxlen=200)

    async def run(self) -> None:
        """Send until cancelled."""
        timeout = aiohttp.ClientTimeout(total=_GIVE_UP_SECONDS)
        async with aiohttp.ClientSession(self._url, timeout=timeout) as client:
            while True:
                readings, body = self._next()
                acked = await self._post(client, readings, body)
                if self._random.random() < (_AGAIN_THOUGH_ACKED if acked else _AGAIN):
                    self._again.append((readings, body))
                await asyncio.sleep(_PAUSE_SECONDS * self._random.random())

    def _next(self) -> tuple[Sequence[Reading], Body]:
        if self._again and self._random.random() < 0.5:
            return self._again.popleft()
        if self._random.random() < 0.5:
            readings = self._readings.take(1)
        else:
            readings = self._readings.take(self._random.randrange(2, _MOST_READINGS))
        if len(readings) == 1:
            return readings, self._random.choice((single, line_protocol))(readings)
        body = self._random.choice(FORMATS)
        if body is not line_protocol and self._random.random() < 0.1:
            readings = _with(readings, self._readings.bad(), self._random.randrange(len(readings)))
        return readings, body(readings)

    async def _post(self, client: aiohttp.ClientSession, readings: Sequence[Reading], body: Body) -> bool:
        self._history.going_out(readings)
        started = time.monotonic()
        try:
            async with client.post(body.path, data=body.content, headers={"Content-Type": body.content_type}) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._history.unanswered(type(error).__name__, time.monotonic() - started)
            await asyncio.sleep(_PAUSE_UNANSWERED_SECONDS)
            return False
        return self._history.answered(readings, answer.status, text, time.monotonic() - started)


@asynccontextmanager
async def sending(url: str, random: Random, first_ms: int, history: History) -> AsyncIterator[None]:
    """Senders at work; their readings have timestamps from ``first_ms`` on."""
    senders = [
        Sender(url, Random(random.random()), Readings(Random(random.random()), first_ms + number, _STEP_MS), history)
        for number in range(_SENDERS)
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sender.run()) for sender in senders]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def _with(readings: Sequence[Reading], other: Reading, position: int) -> list[Reading]:
    return [*readings[:position], other, *readings[position:]]
