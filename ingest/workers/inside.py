"""The way from a worker to the main process: a socket in the data folder that only this service's user can open."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = "main.socket"
_BACKLOG = 1024


@contextmanager
def path_inside(folder: Path) -> Iterator[str]:
    """The socket's path. A folder's own may be longer than the 107 bytes that a socket's may have."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{_NAME}"
    finally:
        os.close(descriptor)


@contextmanager
def listener_inside(folder: Path) -> Iterator[socket.socket]:
    """The main process's end, in a folder that it has to itself."""
    (folder / _NAME).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener, path_inside(folder) as path:
        # Before it has a name nobody can open it.
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(path)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        yield listener
        (folder / _NAME).unlink(missing_ok=True)
