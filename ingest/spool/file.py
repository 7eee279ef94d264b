"""The spool's file: opened, looked at, and set aside for a new one where it is damaged."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar

import msgspec
import structlog

from ingest.file_damage import Look, look_at, missing
from ingest.series import kept
from ingest.spool import dead_letter
from ingest.spool import rows as spool_rows
from ingest.spool.held import Held, HeldFile
from ingest.spool.reserve import Reserve
from ingest.spool.rows import Depth
from ingest.spool.set_aside import Note, keep_log, note_loss, note_of, notes, set_aside, write
from ingest.sqlite import Commits, Damaged, connect, give_back, is_damage, is_full

FILE_NAME = "spool.db"
# Between the ids of a file and those of the one that takes its place, so that nobody takes the ones for the others.
_ID_GAP = 2**32
_STEPS_TO_REGAIN = 20
_PAGES_TO_REGAIN = 250

Result = TypeVar("Result")


class SpoolFile:
    """Its ``writer`` and ``commits`` belong to the thread that commits; whoever reads takes a turn.

    Raises OSError or sqlite3.Error. ``has_learned`` says whether its list of series has all that InfluxDB knew before
    there was such a list.
    Rows with an id below ``first_id`` were in a file that has been set aside.
    """

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        self.path = folder / FILE_NAME
        self._reserve = Reserve(folder / f"{FILE_NAME}.reserve", reserve_bytes)
        self._has_used_reserve = False
        self.first_id = self.last_id = 0
        self.has_learned = False
        self._series: set[int] = set()
        # What is half done: to be set aside, and whether another one has to be opened.
        self._to_set_aside: Note | None = None
        self._is_open = True
        self._log = structlog.get_logger("spool")
        self._turn = Lock()
        self._held = HeldFile(self.path)
        held = self._held.read()
        look = look_at(self.path)
        log = self._keep_log(look) if look.damage is None and look.log_break else None
        if self._open_or_replace(look.damage if log else look.damage or look.log_break, held):
            return
        loss = missing(held, self.last_id)
        if log:
            self._go_on_without(log, is_missed=loss is not None)
        elif loss:
            note_loss(self.path, loss)
            self._log.error("spool_missing", reason=loss)

    def is_there(self) -> bool:
        """Whether it is where it was opened, or another one will be opened in its place. Raises OSError."""
        try:
            return not self._is_open or bool(self.path.stat())
        except FileNotFoundError:
            return False

    @property
    def notes(self) -> list[Note]:
        """What was set aside and is still there."""
        return notes(self.path)

    def read(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        """What ``read`` returns; not while the file is replaced."""
        with self._turn:
            if not self._is_open:
                raise Damaged("a new file could not take the damaged one's place yet")
            return read(self._reader)

    def take_series(self) -> set[int]:
        """The ids of the series that were known when it was opened; the second time there are none."""
        series, self._series = self._series, set()
        return series

    def replace(self, reason: str, depth: Depth) -> None:
        """Set the file, which held ``depth``, aside for a new one; the thread that commits may call it.

        Where it fails, ``reopen`` goes on with it.
        """
        with self._turn:
            self._is_open = False
            self._to_set_aside = note_of(self.path, reason, depth.points)
        self.reopen()

    def reopen(self) -> bool:
        """Whether a new file had to be opened, because the disk failed when it was to take the damaged one's place."""
        with self._turn:
            if self._is_open:
                return False
            self._close()
            if not self._held.is_there():
                raise OSError("the data folder is not where it was")
            self._set_aside()
            for suffix in ("", "-wal", "-shm"):
                # It was never opened to its end, so that nobody's points are in it.
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            last_id = self.last_id
            try:
                self._open()
                self.writer.execute("INSERT INTO sqlite_sequence VALUES ('spool', ?)", (last_id + _ID_GAP,))
            finally:
                self.last_id = last_id
            self.first_id = self.last_id = last_id + _ID_GAP
            self._is_open = True
            return True

    def hold_room(self, for_bytes: int) -> None:
        """Call it before ``for_bytes`` are added: as much is needed for the log's way into the file, or shipped rows
        could not be removed any more. Raises OSError where there is no room."""
        self._reserve.need(2 * for_bytes)

    def make_room(self) -> None:
        """For what has to be written although the disk is full. Raises sqlite3.Error where that does not help."""
        if self._reserve.release():
            self._has_used_reserve = True
            self._log.warning("spool_uses_its_reserve", reason="the disk is full, and shipped rows have to be removed")
        # From here on the log begins anew, in the room that it has already.
        self._checkpoint("RESTART")

    def regain_room(self) -> None:
        """After ``make_room``, when rows were removed: give their pages back until the reserve is held again."""
        if self._reserve.is_held:
            return
        try:
            with self.commits.one():
                for _ in range(_STEPS_TO_REGAIN):
                    if not give_back(self.writer, _PAGES_TO_REGAIN):
                        break
            self._checkpoint("TRUNCATE")
            self._reserve.take()
        except (OSError, sqlite3.Error):
            # There will be more when more is shipped; until then nothing new is taken, and that is told.
            return
        if self._has_used_reserve:
            self._has_used_reserve = False
            self._log.info("spool_has_its_reserve")

    def committed(self, last_id: int, depth: Depth) -> None:
        """Remember how much there is, for a day when there is none. It is a hint: no disk that fails it stops acks."""
        self.last_id = max(self.last_id, last_id)
        with suppress(OSError):
            self._held.commit(self.last_id, depth.points)

    def close(self) -> None:
        with self._turn:
            self._close()
        self._held.close()

    def _open_or_replace(self, reason: str | None, held: Held | None) -> bool:
        """Whether the file is another one now."""
        if reason is None:
            try:
                self._open()
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                reason = str(error)
            else:
                return False
        self._to_set_aside = note_of(self.path, reason, held.points if held else None)
        self._set_aside()
        self._open()
        return True

    def _keep_log(self, look: Look) -> Note | None:
        """None where there is no room for it, or it cannot be read: then all is set aside."""
        try:
            return keep_log(self.path, look.log_break or "")
        except OSError as error:
            self._log.warning("spool_log_not_kept", reason=str(error))
            return None

    def _go_on_without(self, log: Note, *, is_missed: bool) -> None:
        """What was committed before the log's break is open; what is behind it is taken in from a copy."""
        ids = {"row_id": self.last_id, "letter_id": dead_letter.last_id(self.writer)}
        write(self.path.parent, msgspec.structs.replace(log, is_missed=is_missed, **ids))
        self.commits = Commits(self.writer, log_is_clean=False)
        self.commits.try_to_clean()
        self._log.warning("spool_log_broken", file=log.file, reason=log.reason)

    def _checkpoint(self, kind: str) -> None:
        self.writer.execute(f"PRAGMA wal_checkpoint({kind})").fetchone()

    def _open(self) -> None:
        try:
            self._connect()
        except sqlite3.Error as error:
            # Even to be read a log needs an index beside it.
            if not is_full(error) or not self._reserve.release():
                raise
            self._connect()

    def _connect(self) -> None:
        self.writer = connect(self.path, shrinks=True)
        self.commits = Commits(self.writer)
        try:
            spool_rows.prepare(self.writer)
            spool_rows.check(self.writer)
            self.last_id = spool_rows.last_id(self.writer)
            self._series = kept.select(self.writer)
            self.has_learned = kept.is_learned(self.writer)
            self._reader = connect(self.path)
        except BaseException:
            self.writer.close()
            raise

    def _close(self) -> None:
        self._reader.close()
        self.writer.close()

    def _set_aside(self) -> None:
        note = self._to_set_aside
        if note is not None:
            set_aside(self.path, note)
            self._to_set_aside = None
            self._log.error("spool_damaged", file=note.file, reason=note.reason)
