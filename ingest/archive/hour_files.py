"""The files of one status that are appended to: whole lines, on disk when an append returns."""

import errno
import os
import stat
from pathlib import Path

from ingest.archive.folder import ArchiveFolder, sync_folder
from ingest.archive.names import Kind, check_not_foreign, path_of, regular
from ingest.archive.recover import cut_torn_line, open_to_cut


class HourFile:
    """The open file of one hour."""

    def __init__(self, folder: Path, hour: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.hour = hour
        self.path = path_of(folder, hour, Kind.OPEN)
        self._file = _open(self.path)
        try:
            # What could not be put in order at the start is: nothing may follow half a line.
            cut_torn_line(self.path)
            opened = os.fstat(self._file)
            self._identity, self.size = _identity(opened), opened.st_size
            if not self.size:
                sync_folder(folder)
        except OSError:
            self.close()
            raise

    @property
    def is_gone(self) -> bool:
        """Whether the path leads to another file now, or to none: somebody moved or removed this one."""
        status = regular(self.path)
        return status is None or _identity(status) != self._identity

    def append(self, data: bytes) -> None:
        """Raises OSError: then any part of ``data`` may be in the file."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        os.fdatasync(self._file)
        self.size += len(data)

    def close(self) -> None:
        os.close(self._file)


class HourFiles:
    """Used by one thread, for ``archive`` knows only one writer of each status."""

    def __init__(self, archive: ArchiveFolder, name: str) -> None:
        self._archive = archive
        self._folder = archive.path / name
        self._open: HourFile | None = None
        # A file that an append failed on, and its size before: what stands beyond may be half a line.
        self._torn: tuple[Path, int] | None = None

    def append(self, hour: str, data: bytes) -> None:
        """Return once ``data``, whole lines, is on disk.

        Raises OSError: then it is in no file, or is cut out of it before the next append.
        """
        self._archive.check_room(len(data))
        self._mend()
        file = self._file_of(hour)
        self._torn = file.path, file.size
        try:
            file.append(data)
        except OSError:
            self.close()
            self._mend()
            raise
        self._torn = None

    def seal(self, hour: str) -> None:
        """Append to the file of this hour no more: one that comes again begins a new file. Raises OSError."""
        if self._open and self._open.hour == hour:
            self.close()
        plain, sealed = (path_of(self._folder, hour, kind) for kind in (Kind.OPEN, Kind.SEALED))
        if self._torn is None and regular(plain) and not os.path.lexists(sealed):
            plain.rename(sealed)

    def close(self) -> None:
        if self._open:
            self._open.close()
            self._open = None

    def _file_of(self, hour: str) -> HourFile:
        if self._open is None or self._open.hour != hour or self._open.is_gone:
            self.close()
            self._open = HourFile(self._folder, hour)
        return self._open

    def _mend(self) -> None:
        if self._torn is None:
            return
        path, size = self._torn
        status = regular(path)
        if status and status.st_size > size:
            with open_to_cut(path) as file:
                file.truncate(size)
                os.fsync(file.fileno())
        self._torn = None


def _open(path: Path) -> int:
    """Open a file for appending, never through a link. Raises OSError."""
    if path.is_symlink():
        check_not_foreign(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a file", str(path))
    return descriptor


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
