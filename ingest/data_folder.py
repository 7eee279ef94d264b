"""The data folder: made if missing, and used by one service at a time."""

import fcntl
import os
from pathlib import Path
from typing import Self


class FolderInUse(Exception):
    """Another service runs on the folder."""

    def __init__(self, folder: Path, setting: str) -> None:
        option = "--" + setting.replace("_", "-")
        super().__init__(f"{setting}: another ingest runs on {folder}; stop it, or name another folder with {option}")


class DataFolder:
    """A context manager that holds the folder's lock. Raises FolderInUse, or OSError if the folder cannot be made.

    ``setting`` is what names the folder.
    """

    def __init__(self, path: Path, setting: str = "data_dir") -> None:
        self.path = path
        self._setting = setting
        self._lock = -1

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # The system releases it whatever way the process ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise FolderInUse(self.path, self._setting) from None
        self._lock = lock
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)
