"""A process that appends to a spool or to an embedded store as fast as it can, and prints each number that was acked.

``python -m tests.faults.appending FOLDER journal|spool|embedded FULL|OFF``; after every third group some are removed.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from ingest.errors import DiskFailed
from ingest.event import Event
from ingest.events import Events
from ingest.metrics import Metrics
from ingest.spool.changes import Blob
from ingest.spool.lanes import Lane
from ingest.spool.spool import Spool
from ingest.store.embedded import EmbeddedStore

_Store = tuple[Callable[[int], Awaitable[None]], Callable[[], Awaitable[None]]]

_AT_ONCE = 5
# Longer than a page now and then.
_LONG = b"x" * 9_000


def line(number: int) -> bytes:
    return b'm v=%d,t="%s"\n' % (number, _LONG if number % 50 == 0 else b"")


async def main(folder: Path, kind: str, synchronous: str) -> None:
    append, shipped = await {"journal": _journal, "spool": _spool, "embedded": _embedded}[kind](folder, synchronous)
    number = 0
    while True:
        numbers = range(number, number + _AT_ONCE)
        answers = await asyncio.gather(*map(append, numbers), return_exceptions=True)
        for one, answer in zip(numbers, answers, strict=True):
            if answer is None:
                _say("acked", one)
            elif not isinstance(answer, DiskFailed):
                raise answer
        number += _AT_ONCE
        if number % (3 * _AT_ONCE) == 0:
            await shipped()


async def _spool(folder: Path, synchronous: str) -> _Store:
    spool = Spool(folder, 2**40, reserve_bytes=2**20)
    spool.backlog._file.writer.execute(f"PRAGMA synchronous={synchronous}")

    async def ship() -> None:
        try:
            rows = await spool.backlog.read(Lane(0), 4, 10**6)
            # Said before: that is how InfluxDB has it.
            for row in rows:
                _say_shipped(row.lines)
            await spool.backlog.remove(rows)
        except DiskFailed:
            return

    return lambda number: spool.append([Blob(line(number), 1)]), ship


async def _journal(folder: Path, _: str) -> _Store:
    spool = Spool(folder, 2**40, reserve_bytes=2**20)

    async def ship() -> None:
        rows = spool.waiting.take(4, 10**6)
        for row in rows:
            _say_shipped(row.lines)
        await spool.stored(rows)
        with suppress(DiskFailed):
            # Only now the journal may forget them.
            await spool.dirty(1)

    # Minutes that are known, were it none, are what an event of a known series has.
    return lambda number: spool.append([Blob(line(number), 1, are_events=True, marks=frozenset())]), ship


async def _embedded(folder: Path, _: str) -> _Store:
    store = EmbeddedStore(folder, Metrics())

    async def ship() -> None:
        return

    return lambda number: store.append(Events.of([Event(1_600_000_000_000 + number, "a.b.c", str(number))]), []), ship


def _say_shipped(lines: bytes) -> None:
    for one in lines.splitlines():
        _say("shipped", int(one.partition(b"v=")[2].partition(b",")[0]))


def _say(what: str, number: int) -> None:
    sys.stdout.write(f"{what} {number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
