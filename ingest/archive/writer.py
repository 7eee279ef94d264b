"""Appends one status' events to its files, a group at a time, beside whatever makes them durable."""

import asyncio
import errno
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain

import msgspec
import structlog

from ingest.archive.folder import ArchiveFolder
from ingest.archive.hour_files import HourFiles
from ingest.archive.missed import Missed, Span
from ingest.archive.names import FOLDERS, hour_name
from ingest.events import Events
from ingest.group_commit import GroupCommit
from ingest.metrics import ArchiveMetrics

_MAX_WRITE_BYTES = 4 * 2**20
_SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Patience:
    """What the archive's disk may cost: bytes in memory, an ack's wait, and how often it is tried again."""

    max_waiting_bytes: int = 32 * 2**20
    longest_wait_seconds: float = 2.0
    retry_seconds: float = 1.0


class _Arrival(msgspec.Struct, frozen=True, gc=False):
    hour: str
    arrived_ms: int
    events: Events
    texts: Sequence[bytes]
    bytes: int


class _Lines(msgspec.Struct, frozen=True, gc=False):
    """What has to wait: one text instead of many objects, which would take several times the memory."""

    hour: str
    data: bytes
    span: Span


class _Seal(msgspec.Struct, frozen=True):
    hours: Sequence[str]


class _Failure(msgspec.Struct, frozen=True):
    reason: str
    message: str


class Writer:
    """What the disk does not take waits in memory; what has no room there is missed. Nothing else is ever dropped."""

    def __init__(self, folder: ArchiveFolder, status: str, metrics: ArchiveMetrics, patience: Patience) -> None:
        name = FOLDERS[status]
        self._files = HourFiles(folder, name)
        self._patience = patience
        self._written_events = metrics.written.labels(status)
        self._missed = Missed(name, metrics.missed)
        self._log = structlog.get_logger("archive").bind(archive=name)
        # Each number is written by one thread: the loop adds to the first, the thread that commits to the second.
        self._put_bytes = self._written_bytes = 0
        self._waiting: deque[_Lines] = deque()
        self._awaited: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._retry_at = 0.0
        self._failure: _Failure | None = None
        self._is_slow = False
        self._trial: asyncio.Future[None] | None = None
        self._commits: GroupCommit[_Arrival | _Seal] = GroupCommit(self._commit, f"archive-{name}")

    @property
    def waiting_bytes(self) -> int:
        return self._put_bytes - self._written_bytes

    @property
    def trouble(self) -> str | None:
        """Why nothing is written now, or None."""
        if self._failure:
            return self._failure.message
        return "the disk does not answer" if self._is_slow else None

    def put(self, arrived_ms: int, events: Events, texts: Sequence[bytes]) -> asyncio.Future[None] | None:
        """Take the texts of ``events``; the future ends when they are on disk. None: do not wait for that.

        It ends without them, too, when an ack has waited for too long: acks rest on the spool's word.
        """
        size = sum(map(len, texts)) + len(texts)
        # While acks wait for the disk, requests are what bounds the memory.
        if self.trouble and self.waiting_bytes + size > self._patience.max_waiting_bytes:
            self._missed.add(Span.of(arrived_ms, events), self._failure.reason if self._failure else _SLOW)
            return None
        self._put_bytes += size
        written = self._commits.put(_Arrival(hour_name(arrived_ms), arrived_ms, events, texts, size))
        if self.trouble:
            return None
        while self._awaited and self._awaited[0][1].done():
            self._awaited.popleft()
        self._awaited.append((time.monotonic(), written))
        return written

    async def seal(self, hours: Sequence[str]) -> None:
        """Let go of the files of these hours."""
        if hours:
            await self._commits.add(_Seal(hours))

    def tick(self) -> None:
        """Call it now and then: it keeps acks from waiting for ever, tries a failing disk again, and ends episodes."""
        if self._failure or self._is_slow:
            self._try_again()
        elif self._awaited and not self._awaited[0][1].done():
            self._let_go(waited_seconds=time.monotonic() - self._awaited[0][0])
        else:
            self._missed.end()

    def _try_again(self) -> None:
        if self._trial is None or self._trial.done():
            self._trial = self._commits.put(_Seal([]))

    def _let_go(self, waited_seconds: float) -> None:
        if waited_seconds < self._patience.longest_wait_seconds:
            return
        self._log.warning("archive_slow", waited_seconds=round(waited_seconds, 3))
        self._is_slow = True
        for _, written in self._awaited:
            if not written.done():
                written.set_result(None)

    async def close(self) -> None:
        """Write what waits; what the disk does not take even now is missed."""
        await self._commits.close()
        self._retry_at = 0.0
        await asyncio.to_thread(self._commit, [])
        for lines in self._waiting:
            self._missed.add(lines.span, self._failure.reason if self._failure else _SLOW)
        self._missed.end()
        self._files.close()

    def _commit(self, items: Sequence[_Arrival | _Seal]) -> None:
        for item in items:
            if isinstance(item, _Seal):
                self._seal(item)
        if self._waiting and self._may_try():
            self._write_waiting()
        for batch in _batches([item for item in items if isinstance(item, _Arrival)]):
            data = b"\n".join([*chain.from_iterable(arrival.texts for arrival in batch), b""])
            if self._waiting or not self._may_try() or not self._write(batch[0].hour, data, _number(batch)):
                self._waiting.append(_Lines(batch[0].hour, data, _span(batch)))
        if self._failure and not self._waiting:
            self._log.info("archive_writes_again")
            self._failure = None
        self._is_slow = False

    def _may_try(self) -> bool:
        return time.monotonic() >= self._retry_at

    def _write_waiting(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            if not self._write(first.hour, first.data, first.span.events):
                return
            self._waiting.popleft()

    def _write(self, hour: str, data: bytes, events: int) -> bool:
        try:
            self._files.append(hour, data)
        except OSError as error:
            self._failed(error)
            return False
        self._written_bytes += len(data)
        self._written_events.inc(events)
        return True

    def _failed(self, error: OSError) -> None:
        failure = _Failure(errno.errorcode.get(error.errno or 0, "unknown"), str(error))
        if self._failure is None:
            self._log.warning("archive_failing", reason=failure.reason, error=failure.message)
        self._failure = failure
        self._retry_at = time.monotonic() + self._patience.retry_seconds

    def _seal(self, seal: _Seal) -> None:
        for hour in seal.hours:
            try:
                self._files.seal(hour)
            except OSError as error:
                # It stays as it is: complete, plain, and sealed the next time.
                self._log.warning("archive_not_sealed", hour=hour, error=str(error))


def _batches(arrivals: Sequence[_Arrival]) -> Iterator[list[_Arrival]]:
    """In order; each of one hour, and no larger than a write may be unless it is a single arrival."""
    batch: list[_Arrival] = []
    size = 0
    for arrival in arrivals:
        size += arrival.bytes
        if batch and (arrival.hour != batch[0].hour or size > _MAX_WRITE_BYTES):
            yield batch
            batch, size = [], arrival.bytes
        batch.append(arrival)
    if batch:
        yield batch


def _number(batch: Sequence[_Arrival]) -> int:
    return sum(len(arrival.texts) for arrival in batch)


def _span(batch: Sequence[_Arrival]) -> Span:
    return reduce(Span.and_also, (Span.of(arrival.arrived_ms, arrival.events) for arrival in batch))
