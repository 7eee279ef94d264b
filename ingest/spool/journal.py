"""The journal: where events are on disk first. A plain file is a fifth of the work that a database is."""

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

import structlog

from ingest.fail_points import Point, Reached, never
from ingest.spool.newest import Newest
from ingest.spool.segment import END, Broken, Life, Record, packed, scanned

_NAME = "journal-{:012}"
_NAMES = "journal-" + "[0-9]" * 12
# A file to be used again; what stands in it is needed no more.
_SPARE = "journal-spare"
_NOTE_SECONDS = 0.02
_BLOCK_BYTES = 4096


class Segment:
    """A file of the journal, of ``size_bytes`` once it is sealed. ``holds`` counts what in it is still needed: one
    that holds nothing may go."""

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self.path = path
        self.size_bytes = 0
        self.holds = 0
        self.is_sealed = True
        self.is_gone = False


class Journal:
    """Appends records to segments, and keeps a segment until everything in it was released; ``is_missed`` says that the
    newest one of before is gone.

    ``append`` belongs to the thread that commits; the rest may be called from any. Raises OSError when made.
    """

    def __init__(self, folder: Path, segment_bytes: int = 16 * 2**20, reached: Reached = never) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._reached = reached
        self._log = structlog.get_logger("journal")
        self._lock = Lock()
        self._file: int | None = None
        self._end = 0
        self._sealed_bytes = 0
        self._life = Life(0, 0)
        self._left = sorted(int(path.name.rpartition("-")[2]) for path in folder.glob(_NAMES))
        self._note_at = 0.0
        self._newest = Newest(folder)
        # A segment that was begun is there until a later one is, or none is needed.
        self.is_missed = self._newest.number > max(self._left, default=0)
        self._spare.unlink(missing_ok=True)
        self._segment = Segment(max(self._newest.number, *self._left, 0), folder)

    def recover(self) -> list[tuple[Segment, list[Record | Broken]]]:
        """What a crash has left, to be asked once: every segment with what is in it, all of it held."""
        found = []
        for number in self._left:
            segment = Segment(number, self._path(number))
            data = _readable(segment.path)
            # Of one before the newest it is only known that something of it was acked, if anything is there.
            acked_bytes = self._newest.acked_bytes if number == self._newest.number else min(1, len(data))
            contents = list(scanned(data, number, acked_bytes))
            segment.holds = len(contents)
            if contents:
                self._count(segment, len(data))
                found.append((segment, contents))
            else:
                self._discard(segment)
        self._left = []
        return found

    def append(self, records: Sequence[Record]) -> Segment:
        """The segment that the records are in, durably, each of them held. Raises OSError: then none of them is kept.

        Without records it only tries the disk.
        """
        segment = self._open_segment()
        with self._lock:
            segment.holds += len(records)
        try:
            self._write(b"".join([part for record in records for part in packed(record, self._life)]))
        except BaseException:
            self._seal(cut=True)
            self.release(segment, len(records))
            raise
        if self._end >= self._segment_bytes:
            self._seal()
        elif time.monotonic() >= self._note_at:
            self._note_at = time.monotonic() + _NOTE_SECONDS
            self._newest.note(segment.number, self._end)
        return segment

    def release(self, segment: Segment, records: int) -> None:
        """So many of its records are stored elsewhere now. Once all are, the file is used again, or removed."""
        with self._lock:
            segment.holds -= records
            if segment.holds or not segment.is_sealed or segment.is_gone:
                return
            segment.is_gone = True
            self._sealed_bytes -= segment.size_bytes
        self._discard(segment)

    def close(self) -> None:
        """Nothing is appended any more; a segment that holds nothing goes."""
        self._seal()
        self._newest.close()
        with suppress(OSError):
            self._spare.unlink(missing_ok=True)

    @property
    def size_bytes(self) -> int:
        """What stands in files that are still needed."""
        return self._sealed_bytes + (self._end if self._file is not None else 0)

    def _count(self, segment: Segment, size: int) -> None:
        with self._lock:
            segment.size_bytes = size
            self._sealed_bytes += size

    @property
    def _spare(self) -> Path:
        return self._folder / _SPARE

    def _path(self, number: int) -> Path:
        return self._folder / _NAME.format(number)

    def _open_segment(self) -> Segment:
        if self._file is not None and not self._is_there():
            self._log.error("journal_file_gone", file=str(self._segment.path))
            self._seal()
        if self._file is None:
            self._begin(self._segment.number + 1)
        return self._segment

    def _is_there(self) -> bool:
        """Whether what is written still goes where a restart would look for it."""
        try:
            return self._file is not None and os.path.samestat(os.fstat(self._file), self._segment.path.stat())
        except FileNotFoundError:
            return False

    def _begin(self, number: int) -> None:
        path = self._path(number)
        with suppress(FileNotFoundError):
            # To write over what is there costs a third less than to make a file longer.
            self._spare.rename(path)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _sync(self._folder)
        except BaseException:
            os.close(file)
            raise
        self._newest.note(number, 0)
        self._file, self._end = file, 0
        self._life = Life(number, secrets.randbits(64))
        self._segment = Segment(number, path)
        self._segment.is_sealed = False

    def _write(self, records: bytes) -> None:
        assert self._file is not None  # noqa: S101 - _open_segment has opened it
        end = self._end
        if end == 0:
            records = self._life.head() + records
        while records:
            written = os.pwrite(self._file, records, end)
            end += written
            records = records[written:]
        self._reached(Point.IN_COMMIT)
        os.fdatasync(self._file)
        self._end = end

    def _seal(self, *, cut: bool = False) -> None:
        """Begin no more records in the current segment; with ``cut`` what a failed append has left there goes."""
        if self._file is None:
            return
        file, self._file = self._file, None
        # Where the disk does not take even that, a restart may ship what its sender was told to send again.
        with suppress(OSError):
            if cut:
                os.ftruncate(file, self._end)
            if self._end:
                os.pwrite(file, b"".join(packed(END, self._life)), self._end)
            if cut:
                os.fdatasync(file)
        os.close(file)
        self._count(self._segment, self._end)
        with self._lock:
            self._segment.is_sealed = True
        self.release(self._segment, 0)

    def _discard(self, segment: Segment) -> None:
        self._newest.forget(segment.number)
        # If that fails, the next start ships what is in it once more, which changes nothing.
        with suppress(OSError):
            if self._spare.exists():
                segment.path.unlink(missing_ok=True)
            else:
                segment.path.rename(self._spare)


def _sync(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _readable(path: Path) -> bytes:
    """The file's content, with zeros for what the disk does not give back."""
    try:
        return path.read_bytes()
    except OSError:
        return b"".join(_blocks(path))


def _blocks(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb", buffering=0) as file:
        for at in range(0, size, _BLOCK_BYTES):
            length = min(_BLOCK_BYTES, size - at)
            try:
                yield os.pread(file.fileno(), length, at)
            except OSError:
                yield bytes(length)
