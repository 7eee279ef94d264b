"""A process whose disk fails one large commit, and takes smaller ones after it; then it is killed.

``python -m tests.faults.failed_fsync FOLDER CONTROL spool|embedded SEED``, under the shim; it prints as ``appending``.
"""

import asyncio
import errno
import os
import random
import signal
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from ingest.errors import DiskFailed
from ingest.event import Event
from ingest.events import Events
from ingest.metrics import Metrics
from ingest.spool.changes import Blob
from ingest.spool.lanes import Lane
from ingest.spool.spool import Spool
from ingest.store.embedded import EmbeddedStore

_START_MS = 1_600_000_000_000
_LONG = 60_000


async def main(folder: Path, control: Path, kind: str, chance: random.Random) -> None:
    append, ship = _spool(folder) if kind == "spool" else _embedded(folder, chance)
    number = 0
    for _ in range(12):
        number += 1
        await append(number, chance.choice([10, 500, 9_000, 30_000]))
        print("acked", number, flush=True)  # noqa: T201
    for shipped in await ship(chance.choice([4, 7])):
        print("shipped", shipped, flush=True)  # noqa: T201
    _fsync(control, errno.EIO)
    number += 1
    try:
        await append(number, _LONG)
    except DiskFailed:
        _fsync(control, 0)
    for _ in range(chance.choice([1, 2, 3])):
        number += 1
        await append(number, chance.choice([10, 500, 9_000]))
        print("acked", number, flush=True)  # noqa: T201
    os.kill(os.getpid(), signal.SIGKILL)


Append = Callable[[int, int], Awaitable[None]]
Ship = Callable[[int], Awaitable[list[int]]]


def _spool(folder: Path) -> tuple[Append, Ship]:
    spool = Spool(folder, 2**40, reserve_bytes=2**20)

    async def ship(points: int) -> list[int]:
        rows = await spool.backlog.read(Lane(0), points, 10**9)
        await spool.backlog.remove(rows)
        return [int(row.lines.partition(b"v=")[2].partition(b",")[0]) for row in rows]

    return lambda number, size: spool.append([Blob(b'm v=%d,t="%s"\n' % (number, b"x" * size), 1)]), ship


def _embedded(folder: Path, chance: random.Random) -> tuple[Append, Ship]:
    store = EmbeddedStore(folder, Metrics())

    def append(number: int, size: int) -> Awaitable[None]:
        # A size stands for so many pages of the file that are touched.
        events = [
            Event(_START_MS + chance.randrange(10**8), f"a.b.c{chance.randrange(50)}", str(number))
            for _ in range(1 + size // 500)
        ]
        return store.append(Events.of(events), [])

    async def ship(_: int) -> list[int]:
        return []

    return append, ship


def _fsync(control: Path, error: int) -> None:
    with control.open("r+b", buffering=0) as file:
        file.write(struct.pack("4i", error, 0, 100 if error else 0, 0))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], random.Random(int(sys.argv[4]))))
