"""``ingest recover``: a new file of the embedded store, of what is whole in a damaged one."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from ingest.data_folder import DataFolder
from ingest.event import Event
from ingest.events import Events
from ingest.metrics import Metrics
from ingest.salvage.stored_events import events_in
from ingest.spool.set_aside import kept_logs, note_of, set_aside, write
from ingest.store import Selection
from ingest.store.embedded import FILE_NAME, EmbeddedStore

_AT_ONCE = 5_000


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("recover", help="save what is whole in a damaged events.db", description=__doc__)
    default = Path(os.environ.get("INGEST_DATA_DIR", "data"))
    parser.add_argument(
        "--data-dir", type=Path, default=default, help="folder of the store [INGEST_DATA_DIR, default: data]"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    path: Path = options.data_dir / FILE_NAME
    if not path.exists():
        print(
            f"ingest: there is no {FILE_NAME} in {options.data_dir}; name its folder with --data-dir", file=sys.stderr
        )
        return 1
    with DataFolder(options.data_dir), tempfile.TemporaryDirectory(prefix="recover-", dir=options.data_dir) as new:
        kept = kept_logs(path)
        logs = [path.with_name(note.file) for note in kept]
        saved, altered = asyncio.run(_save(path, logs, Path(new)))
        if (Path(new) / f"{FILE_NAME}-wal").exists():
            print(
                "ingest: the new file could not be finished, its log is still there; nothing was changed",
                file=sys.stderr,
            )
            return 1
        note = note_of(path, "an operator recovered what is whole in it")
        set_aside(path, note)
        (Path(new) / FILE_NAME).rename(path)
        for one in kept:
            write(path.parent, msgspec.structs.replace(one, done=True))
    print(f"{saved} events are saved in {path}, {altered} were altered and are not; the damaged file is {note.file}")
    return 0


async def _save(path: Path, logs: Sequence[Path], folder: Path) -> tuple[int, int]:
    """How many events are in the new store, and how many were not as they were written."""
    store = EmbeddedStore(folder, Metrics())
    altered = 0
    found = events_in(path, logs)
    while batch := _next(found):
        whole = Events.of(event for event in batch if event)
        altered += len(batch) - len(whole)
        await store.append(whole, [])
    saved = sum(series.events for series in await store.counts(Selection()))
    await store.close()
    return saved, altered


def _next(found: Iterator[Event | None]) -> list[Event | None]:
    return list(islice(found, _AT_ONCE))
