"""The courier: brings a batch to the service, again and again until it is answered for.

That is safe because events are idempotent: one that the service has already is stored once all the same.
"""

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import aiohttp
import msgspec

from loadgen.access import OPEN, Access
from loadgen.connection import Answer
from loadgen.delivery.batch import Batch
from loadgen.delivery.outage import Outage
from loadgen.faults import fault_text
from loadgen.plain_text import plain
from loadgen.verdict import Rejection, Verdict, judge

HEADERS: Final = {"Content-Type": "application/x-ndjson", "User-Agent": "pulso-loadgen"}
FIRST_BACKOFF_SECONDS: Final = 0.1
LONGEST_BACKOFF_SECONDS: Final = 5.0
QUOTED_BYTES: Final = 1000
# The body itself is wrong or too large: one of its lines is, and the others can go without it.
BODY_STATUSES: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
PASSING_STATUSES: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class RefusedError(Exception):
    """The service will never take what is sent to it; the text is its answer."""


class NotNowError(Exception):
    """It may work in a while; ``wait_seconds`` is what the service asked for, 0 if it did not."""

    def __init__(self, reason: str, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class Courier:
    """Delivers to the service at ``url``; several batches may be under way at a time."""

    def __init__(self, session: aiohttp.ClientSession, url: str, outage: Outage) -> None:
        self._session = session
        self._url = f"{url}/events"
        self._outage = outage
        self.retries = 0

    async def deliver(self, batch: Batch) -> Verdict:
        """Which lines were refused; all others are acked. Raises RefusedError, or GivenUpError from the outage."""
        backoff_seconds = FIRST_BACKOFF_SECONDS
        while True:
            try:
                answer = await self._post(batch.body)
            except NotNowError as reason:
                self.retries += 1
                wait_seconds = reason.wait_seconds or backoff_seconds * (0.5 + random.random() / 2)  # noqa: S311 - jitter
                await self._outage.wait(str(reason), wait_seconds)
                backoff_seconds = min(2 * backoff_seconds, LONGEST_BACKOFF_SECONDS)
            else:
                self._outage.over()
                return await self._verdict(batch, answer)

    async def _verdict(self, batch: Batch, answer: Answer) -> Verdict:
        verdict = judge(answer, len(batch.lines))
        if verdict.error is None:
            return verdict
        if answer.status not in BODY_STATUSES:
            raise RefusedError(f"{verdict.error}: {_told(answer.body)}")
        if len(batch.lines) == 1:
            return Verdict((Rejection(0, f"{verdict.error}: {_told(answer.body)}"),))
        first, second = batch.halves()
        rejected = (await self.deliver(first)).rejected
        later = (await self.deliver(second)).rejected
        return Verdict((*rejected, *(Rejection(len(first.lines) + one.index, one.reason) for one in later)))

    async def _post(self, body: bytes) -> Answer:
        try:
            async with self._session.post(self._url, data=body, headers=HEADERS) as response:
                answer = Answer(response.status, await response.read())
                asked = response.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotNowError(_reason(error)) from error
        if answer.status in PASSING_STATUSES or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NotNowError(f"HTTP {answer.status}: {_told(answer.body)}", _seconds(asked))
        return answer


@asynccontextmanager
async def couriers(
    url: str, connections: int, timeout_seconds: float, outage: Outage, access: Access = OPEN
) -> AsyncIterator[Courier]:
    """A courier with so many connections of its own; the longest wait for an answer is ``timeout_seconds``."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    connector = aiohttp.TCPConnector(limit=connections, ssl=access.context())
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, headers=access.headers) as session:
        yield Courier(session, url, outage)


class _Problem(msgspec.Struct, frozen=True):
    message: str


def _told(body: bytes) -> str:
    """What the service says in its answer, in few words."""
    try:
        return plain(msgspec.json.decode(body, type=_Problem).message)
    except msgspec.DecodeError:
        return plain(body[:QUOTED_BYTES].decode(errors="replace")) or "no reason given"


def _reason(error: Exception) -> str:
    """The same few words for the same fault."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return fault_text(error.certificate_error)
    if isinstance(error, OSError):
        return os.strerror(error.errno).lower() if error.errno else "connection closed while sending"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "connection closed before the answer"
    return plain(str(error)) or type(error).__name__


def _seconds(retry_after: str) -> float:
    """A ``Retry-After`` header in seconds, at most a minute; 0 without a usable one."""
    if retry_after.isascii() and retry_after.isdecimal():
        return float(min(int(retry_after), 60))
    return 0.0
