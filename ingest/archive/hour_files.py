"""The files of one status that are appended to: whole lines, on disk when an append returns."""

import os
from collections.abc import Iterable
from pathlib import Path

from ingest.archive.folder import ArchiveFolder, sync_folder
from ingest.archive.names import Kind, path_of


class HourFile:
    """The open file of one hour."""

    def __init__(self, folder: Path, hour: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.hour = hour
        self.path = path_of(folder, hour, Kind.OPEN)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.size = os.fstat(self._file).st_size
        try:
            if not self.size:
                sync_folder(folder)
        except OSError:
            self.close()
            raise

    @property
    def is_deleted(self) -> bool:
        return os.fstat(self._file).st_nlink == 0

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

    def seal(self, hours: Iterable[str]) -> None:
        """Append to the files of these hours no more: one that comes again begins a new file. Raises OSError."""
        for hour in hours:
            if self._open and self._open.hour == hour:
                self.close()
            plain, sealed = (path_of(self._folder, hour, kind) for kind in (Kind.OPEN, Kind.SEALED))
            if self._torn is None and plain.exists() and not sealed.exists():
                plain.rename(sealed)

    def close(self) -> None:
        if self._open:
            self._open.close()
            self._open = None

    def _file_of(self, hour: str) -> HourFile:
        if self._open is None or self._open.hour != hour or self._open.is_deleted:
            self.close()
            self._open = HourFile(self._folder, hour)
        return self._open

    def _mend(self) -> None:
        if self._torn is None:
            return
        path, size = self._torn
        if path.exists() and path.stat().st_size > size:
            with path.open("r+b") as file:
                file.truncate(size)
                os.fsync(file.fileno())
        self._torn = None
