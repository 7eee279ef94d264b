"""The spool's file as a command opens it: while a service works with it, or none does."""

import argparse
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent

from ingest.data_folder import DataFolder, FolderInUse, worker_folder, worker_numbers
from ingest.file_damage import look_at
from ingest.plain_text import plain, plain_lines
from ingest.spool import rows as spool_rows
from ingest.spool.file import FILE_NAME
from ingest.sqlite import Damaged, connect


@contextmanager
def looking(folder: Path, table: str) -> Iterator[sqlite3.Connection | None]:
    """A connection that changes nothing; None where the file, which may be an earlier one, has no ``table`` yet.

    Raises Damaged, FileNotFoundError, or another sqlite3.Error.
    """
    path = _undamaged(folder)
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT * FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)).fetchone()
        yield connection if found else None


@contextmanager
def changing(folder: Path) -> Iterator[sqlite3.Connection]:
    """A connection that may change it. Raises as ``looking`` does."""
    with closing(connect(_undamaged(folder))) as connection:
        spool_rows.prepare(connection)
        yield connection


def folders_of(data_dir: Path) -> list[Path]:
    """Those with a spool, the data folder and its workers'. Raises FileNotFoundError if there is none."""
    folders = [data_dir, *(worker_folder(data_dir, number) for number in worker_numbers(data_dir))]
    found = [folder for folder in folders if (folder / FILE_NAME).exists()]
    if not found:
        raise FileNotFoundError(f"there is no spool in {data_dir}; name its folder with --data-dir")
    return found


def add_arguments(parser: argparse.ArgumentParser, actions: Sequence[str]) -> None:
    """What every command on the spool takes: one of ``actions``, the folder, and a word before anything is purged."""
    default = Path(os.environ.get("INGEST_DATA_DIR", "data"))
    parser.add_argument("action", choices=actions)
    parser.add_argument(
        "--data-dir", type=Path, default=default, help="folder of the spool [INGEST_DATA_DIR, default: data]"
    )
    parser.add_argument("--yes", action="store_true", help="purge: really")


def listed(time_ms: int, reason: str, lines: bytes) -> str:
    """How people are shown lines that are kept apart since ``time_ms`` (Unix ms)."""
    when = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")
    text = plain_lines(lines.decode(errors="replace").removesuffix("\n"))
    return f"{when}  {plain(reason)}\n{indent(text, '    ')}"


def _undamaged(folder: Path) -> Path:
    """SQLite would replay a broken log up to the break and delete the rest, which the service's salvage can read."""
    path = folder / FILE_NAME
    # A running service has looked; of a file that changes nothing could be said from outside.
    look = None if _is_in_use(folder) else look_at(path)
    reason = look and (look.damage or look.log_break)
    if reason and not _is_in_use(folder):
        raise Damaged(f"{path} is damaged ({reason}): start ingest first, which saves what is whole in it")
    return path


def _is_in_use(folder: Path) -> bool:
    try:
        with DataFolder(folder):
            return False
    except FolderInUse:
        return True
