"""SQLite as Pulso uses it: what is committed is on disk."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BUSY_TIMEOUT_SECONDS = 10.0


class Damaged(sqlite3.DatabaseError):
    """The file holds something that was never written to it, which SQLite itself has not noticed."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether it is the file that is broken, and not the disk under it."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Python's own: a text that is none.
        return isinstance(error, Damaged | sqlite3.OperationalError)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_full(error: sqlite3.Error | OSError) -> bool:
    """Whether the file system has no room; where SQLite cannot tell, it calls it an I/O error of the WAL's index."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code == sqlite3.SQLITE_IOERR_SHMSIZE or code & 0xFF == sqlite3.SQLITE_FULL)


def connect(path: Path, *, shrinks: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode whose commits return after the fsync; any one thread at a time may use it."""
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if shrinks:
            # Only a new file takes this; it lets give_back shrink the file without rewriting it.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        # Debian's SQLite would write zeros over all that is deleted, which takes the log as much room again.
        connection.execute("PRAGMA secure_delete=OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def touch(connection: sqlite3.Connection) -> None:
    """A write that changes nothing; raises sqlite3.Error if the disk does not take it."""
    connection.execute("PRAGMA user_version = 1")


def give_back(connection: sqlite3.Connection, pages: int) -> bool:
    """Return ``pages`` unused pages to the file system, if there are as many; call it outside a transaction."""
    (unused,) = connection.execute("PRAGMA freelist_count").fetchone()
    if unused < pages:
        return False
    # Python's execute would stop after the first page.
    connection.executescript(f"PRAGMA incremental_vacuum({pages})")
    return True


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside is committed, or none of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
