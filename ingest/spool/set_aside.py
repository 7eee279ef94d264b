"""Files that were found damaged: put out of the way under a name that says so, with a note of what became of them."""

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

_MARK = ".damaged-"
_NOTE = ".json"
_WAL = "-wal"


class Note(msgspec.Struct, frozen=True):
    """Why a file was set aside at ``found_ms``, and what was saved from it; ``done`` once no more can be.

    With ``only_log`` it is a copy of the log, and the service has gone on with the file, in which were the ids up to
    ``row_id`` and ``letter_id``; it ``is_missed`` if there had been more: else it was a commit that nobody was told of.
    """

    file: str
    reason: str
    found_ms: int
    done: bool = False
    points: int = 0
    dead_letters: int = 0
    damaged_rows: int = 0
    unreadable: int = 0
    held_points: int | None = None
    is_gone: bool = False
    only_log: bool = False
    row_id: int = 0
    letter_id: int = 0
    is_missed: bool = True

    def sentence(self) -> str:
        """For people."""
        if self.is_gone:
            return f"{self.reason}; remove {self.file}{_NOTE} when you have seen it"
        if not self.done:
            return (
                f"{self.file} was damaged ({self.reason}) and set aside; {self.points} points are saved from it so far"
            )
        held = "" if self.held_points is None else f" of about {self.held_points}"
        saved = f"{self.points} points{held} and {self.dead_letters} dead letters were saved from it"
        lost = f"{self.damaged_rows} rows were altered and {self.unreadable} not readable"
        return (
            f"{self.file} was damaged ({self.reason}) and set aside; {saved}, {lost}; remove it when you have seen it"
        )


def note_of(path: Path, reason: str, held_points: int | None = None) -> Note:
    """What ``set_aside`` has to know of the file at ``path``; about ``held_points`` were in it."""
    damaged, now_ms = _damaged(path)
    return Note(damaged.name, reason, now_ms, held_points=held_points)


def set_aside(path: Path, note: Note) -> None:
    """Rename the SQLite file at ``path`` and its WAL. Raises OSError; it may be called again then."""
    damaged = path.with_name(note.file)
    for suffix in (_WAL, ""):
        # The WAL first: the file without it would look whole.
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(damaged.with_name(damaged.name + suffix))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    write(path.parent, note)


def keep_log(path: Path, reason: str) -> Note:
    """Copy the WAL of the file at ``path``, which goes on without what is behind the WAL's break. Raises OSError."""
    damaged, now_ms = _damaged(path)
    note = Note(damaged.name, reason, now_ms, only_log=True)
    copy = damaged.with_name(damaged.name + _WAL)
    try:
        shutil.copyfile(path.with_name(path.name + _WAL), copy)
        sync(copy)
    except OSError:
        copy.unlink(missing_ok=True)
        raise
    write(path.parent, note)
    return note


def kept_logs(path: Path) -> list[Note]:
    """The notes of the copies that ``keep_log`` made, and that nobody has taken anything from yet."""
    return [note for note in notes(path) if note.only_log and not note.done]


def forget(folder: Path, note: Note) -> None:
    """Remove what was kept, for nothing is missed. Raises OSError."""
    for suffix in (_WAL, _NOTE):
        (folder / (note.file + suffix)).unlink(missing_ok=True)


def note_loss(path: Path, reason: str) -> Note:
    """Leave a note where there is no file to set aside."""
    damaged, now_ms = _damaged(path)
    note = Note(damaged.name, reason, now_ms, done=True, is_gone=True)
    write(path.parent, note)
    return note


def write(folder: Path, note: Note) -> None:
    """Keep ``note`` beside its file; should there be no room for it, the file's name still tells."""
    path = folder / (note.file + _NOTE)
    new = path.with_suffix(".new")
    try:
        new.write_bytes(msgspec.json.encode(note))
        new.replace(path)
        sync(folder)
    except OSError:
        new.unlink(missing_ok=True)


def notes(path: Path) -> list[Note]:
    """The notes of what was set aside from ``path`` and is still there, the oldest first."""
    names = [file.name for file in path.parent.glob(f"{path.name}{_MARK}*") if file.suffix != ".new"]
    files = {name.removesuffix(_WAL).removesuffix(_NOTE) for name in names}
    found = [_note(path.with_name(name)) for name in sorted(files)]
    # Of a file that was removed its note is of no more use; of one that never was it is all there is.
    return [note for note in found if note.is_gone or {note.file, note.file + _WAL} & set(names)]


def _damaged(path: Path) -> tuple[Path, int]:
    now_ms = time.time_ns() // 1_000_000
    when = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
    return path.with_name(f"{path.name}{_MARK}{when}"), now_ms


def _note(path: Path) -> Note:
    try:
        return msgspec.json.decode(path.with_name(path.name + _NOTE).read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError):
        return Note(path.name, "it is not known why", 0)


def sync(path: Path) -> None:
    """What was written there is on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
