"""The archive's folder: held by one service at a time, put in order, and never filled at the spool's expense."""

import errno
import os
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

from ingest.archive.names import FOLDERS
from ingest.archive.recover import recover
from ingest.data_folder import DataFolder, FolderInUse

RESERVED_BYTES = 256 * 2**20


class ArchiveFolder:
    """The folder at ``path``. On the disk of ``data_dir`` it leaves ``reserved_bytes`` free for spool and store."""

    def __init__(self, path: Path, data_dir: Path, reserved_bytes: int = RESERVED_BYTES) -> None:
        self.path = path
        self._data_dir = data_dir
        self._reserved_bytes = reserved_bytes
        self._shares_disk = False
        self._claiming = Lock()
        self._held: ExitStack | None = None

    def claim(self) -> None:
        """Make, lock and recover the folder, once. Raises FolderInUse, or OSError: then the next call tries again."""
        with self._claiming, ExitStack() as stack:
            if self._held is not None:
                return
            stack.enter_context(DataFolder(self.path, "archive_dir"))
            for name in FOLDERS.values():
                folder = self.path / name
                folder.mkdir(exist_ok=True)
                recover(folder)
            sync_folder(self.path)
            self._shares_disk = self.path.stat().st_dev == self._data_dir.stat().st_dev
            self._held = stack.pop_all()

    def check_room(self, size: int) -> None:
        """Raises OSError if nothing may be written now, or not so many bytes."""
        try:
            self.claim()
        except FolderInUse as error:
            raise OSError(errno.EBUSY, str(error)) from error
        if not self._shares_disk:
            return
        disk = os.statvfs(self._data_dir)
        if disk.f_bavail * disk.f_frsize < self._reserved_bytes + size:
            left = f"the last {self._reserved_bytes} bytes of the disk are left to the data folder"
            raise OSError(errno.ENOSPC, left)

    def release(self) -> None:
        if self._held is not None:
            self._held.close()


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
