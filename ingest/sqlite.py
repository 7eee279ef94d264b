"""SQLite as Pulso uses it: what is committed is on disk."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BUSY_TIMEOUT_SECONDS = 10.0
# EIO is the one or the other.
_UNREADABLE = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS)
# A log that was larger once is cut when it begins anew: every start reads it.
_LOG_BYTES = 8 * 2**20


class Damaged(sqlite3.DatabaseError):
    """The file holds something that was never written to it, which SQLite itself has not noticed."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether it is the file that is broken, or not to be read, and not merely a disk that takes nothing."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Python's own: a text that is none.
        return isinstance(error, Damaged | sqlite3.OperationalError)
    # A sector that the disk does not give back will not come back either.
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code in _UNREADABLE


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
        connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
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


class Commits:
    """Every commit of ``connection``. What one that failed has left in the log is gone before the next one begins: a
    shorter one would overwrite the first of it only, and the rest, its commit among it, would stand behind a break."""

    def __init__(self, connection: sqlite3.Connection, *, log_is_clean: bool = True) -> None:
        self._connection = connection
        self._log_is_clean = log_is_clean

    @contextmanager
    def one(self) -> Iterator[None]:
        """Commit inside. Raises sqlite3.Error before anything is written if the log could not be emptied."""
        self._clean()
        self._log_is_clean = False
        yield
        self._log_is_clean = True

    def try_to_clean(self) -> None:
        """Now, if need be, and not only before the next commit."""
        with suppress(sqlite3.Error):
            self._clean()

    def _clean(self) -> None:
        if not self._log_is_clean:
            _empty_log(self._connection)
            self._log_is_clean = True


def _empty_log(connection: sqlite3.Connection) -> None:
    """All that was committed goes into the file, and the log begins anew, with nothing in it. Raises sqlite3.Error."""
    (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise sqlite3.OperationalError("the log cannot be emptied after a failed commit: someone reads from it")
