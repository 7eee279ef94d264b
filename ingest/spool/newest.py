"""Which of the journal's files is the newest, and how far it has come: so that what is gone or cut off is missed."""

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock

_NAME = "journal-current"


class Newest:
    """The file ``number``, 0 if none is needed, and how many of its bytes were acked at least. Any thread may use it.

    It is a hint, and no disk that fails it stops acks. After a power cut it may be an older one.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._lock = Lock()
        self._file: int | None = None
        self.number, self.acked_bytes = _noted(self._path)

    def note(self, number: int, acked_bytes: int) -> None:
        """That file is there, and so much of it is acked."""
        with self._lock, suppress(OSError):
            self.number, self.acked_bytes = number, acked_bytes
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._file, b"%012d %012d\n" % (number, acked_bytes), 0)

    def forget(self, number: int) -> None:
        """Before that file goes. Names of one folder go in order, also where the power fails: what is written in a file
        may be there or not, and would have the file missed that is needed no more."""
        with self._lock, suppress(OSError):
            if number == self.number:
                self.number = self.acked_bytes = 0
                self._close()
                self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """It stays as it is."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _noted(path: Path) -> tuple[int, int]:
    try:
        words = path.read_bytes().split()
    except OSError:
        return 0, 0
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return 0, 0
    return int(words[0]), int(words[1])
