"""A spool's folder as a crash leaves it, and what a service makes of it after someone has damaged it."""

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ingest.event import Event
from ingest.events import Events
from ingest.line_parser import split_lines
from ingest.line_protocol import LineEncoder
from ingest.salvage.salvage import Salvage
from ingest.spool.changes import Blob
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.lanes import Lane
from ingest.spool.spool import Spool

CAP = 2**30
LIVE = b"live v=1 1\n"
LETTER = DeadLetter(b"m v=x\n", "invalid boolean", 5)


@dataclass
class Crashed:
    """A folder after a crash; ``shipped`` left the spool before, ``waiting`` is in it."""

    folder: Path
    waiting: set[bytes]
    shipped: set[bytes]


async def make(folder: Path, rows: int = 60, big_rows: int = 6, *, checkpointed: bool = False) -> Crashed:
    """Fill ``folder`` with rows of one event and rows with overflow pages; they are in the log, or half of them."""
    living = folder.with_name(folder.name + "-living")
    living.mkdir()
    spool = Spool(living, CAP)
    encoder = LineEncoder()
    lines: list[bytes] = []
    for number in range(rows):
        of_row = 300 if number % max(1, rows // max(1, big_rows)) == 3 else 1
        # Every third event is a text with what a line or a page could end on.
        events = [
            Event(1_600_000_000_000 + 1000 * number + i, f"brasil.sul.s{i}", f'{i}\n"á' if i % 3 == 2 else str(i))
            for i in range(of_row)
        ]
        encoded = encoder.encode(Events.of(events))
        lines += split_lines(encoded)
        if number == rows - 1:
            # A word of how far it came is written now and then.
            await asyncio.sleep(0.05)
        await spool.append([Blob(encoded, of_row)])
        if checkpointed and number == rows // 2:
            spool.backlog._file.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    first = await spool.backlog.read(Lane(0), 5, 10**9)
    await spool.backlog.remove(first, [LETTER])
    shutil.copytree(living, folder)
    await spool.close()
    shipped = {line for row in first for line in split_lines(row.lines)}
    return Crashed(folder, set(lines) - shipped, shipped)


@dataclass
class Outcome:
    """What came out of the spool's front, and what the service said."""

    lines: list[bytes] = field(default_factory=list)
    dead_letters: int = 0
    damaged_rows: int = 0
    warnings: list[str] = field(default_factory=list)


async def ship_all(folder: Path) -> Outcome:
    """Start on ``folder``, take a new event, and ship until nothing more comes."""
    outcome = Outcome()
    spool = Spool(folder, CAP)
    salvage = Salvage(spool, rest_seconds=0.01)
    task = asyncio.create_task(salvage.run())
    after, empty = 0, 0
    await spool.append([Blob(LIVE, 1)])
    recovered = spool.waiting.take(2**60, 2**60)
    outcome.lines += [line for row in recovered for line in split_lines(row.lines)]
    await spool.stored(recovered)
    while empty < 3:
        spool.backlog._audit_at = 0.0
        try:
            rows = await spool.backlog.read(Lane(after), 5000, 10**6)
        except Exception as error:
            outcome.warnings.append(repr(error))
            continue
        if rows:
            after = rows[-1].id
            outcome.lines += [line for row in rows for line in split_lines(row.lines)]
            await spool.backlog.remove(rows)
        notes = await asyncio.to_thread(lambda: spool.backlog._file.notes)
        empty = empty + 1 if not rows and all(note.done for note in notes) else 0
        await asyncio.sleep(0.005 if rows else 0.03)
    assert not task.done() or task.exception() is None
    assert spool.depth.points == 0
    task.cancel()
    await salvage._look()
    outcome.dead_letters, outcome.damaged_rows = spool.depth.dead_letters, salvage.damaged_rows
    outcome.warnings += salvage.warnings()
    await spool.close()
    return outcome
