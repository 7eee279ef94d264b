"""Room kept on the disk for the day it is full: then not even what was shipped could be removed, for that is written
down first, and a spool that cannot shrink would be full for ever."""

import errno
import os
import time
from pathlib import Path
from threading import RLock

# Beside the reserve: for the log's index, and for what goes on without asking.
_SPARE_BYTES = 2**20
_LOOK_SECONDS = 0.05


class Reserve:
    """A file of zeros at ``path``, of ``size`` bytes or more while it is held. Any thread may use it."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._least = size
        self._held = path.stat().st_size if path.exists() else 0
        self._ask_at = 0.0
        self._unasked = 0
        self._lock = RLock()

    @property
    def is_held(self) -> bool:
        return self._held >= self._least

    def take(self, more: int = 0) -> None:
        """Hold ``more`` bytes than usual, at least. Raises OSError where there is no room."""
        with self._lock:
            size = self._least + more
            if self._held >= size:
                return
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, size)
                self._held = size
            except OSError:
                # What it held before still helps; what was just begun does not.
                os.ftruncate(file, self._held)
                raise
            finally:
                os.close(file)

    def need(self, more: int) -> None:
        """Hold the reserve, for ``more`` bytes that are to be written, and find room for these beside it.

        Raises OSError where there is none. For small writes it looks now and then: that costs as much as they do.
        """
        with self._lock:
            if more <= self._unasked and time.monotonic() < self._ask_at:
                self._unasked -= more
                return
            self._unasked = 0
            self.take(more)
            disk = os.statvfs(self._path.parent)
            free = disk.f_bavail * disk.f_frsize
            # Some file systems do not tell their size.
            if disk.f_blocks and free < more + _SPARE_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path.parent))
            self._unasked = min(self._least // 4, max(0, free - more - _SPARE_BYTES))
            self._ask_at = time.monotonic() + _LOOK_SECONDS

    def release(self) -> bool:
        """Whether there was something to give."""
        with self._lock:
            had, self._held, self._unasked = self._held, 0, 0
            self._path.unlink(missing_ok=True)
            return had > 0
