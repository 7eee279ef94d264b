"""The data folder: made if missing, and used by one service at a time. Each worker beside has a folder in it."""

import fcntl
import os
import re
from pathlib import Path
from typing import Final, Self

_WORKER: Final = re.compile(r"worker-([1-9][0-9]*)")


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


def worker_folder(data_dir: Path, number: int) -> Path:
    """Of worker ``number``, from 2 on: the main process has the data folder itself."""
    return data_dir / f"worker-{number}"


def worker_numbers(data_dir: Path) -> list[int]:
    """Of all workers that ever had a folder there, in their order."""
    names = [path.name for path in data_dir.iterdir() if path.is_dir()] if data_dir.is_dir() else []
    return sorted(int(match[1]) for match in map(_WORKER.fullmatch, names) if match)
