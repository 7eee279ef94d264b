"""What a process that was killed may have left, put in order before anything is appended."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import structlog

from ingest.archive.names import Kind, files_in, unfinished_in

_BLOCK_BYTES = 65_536


def recover(folder: Path) -> None:
    """Cut torn last lines, which were never acked, and remove what a compression did not finish.

    A file that gives trouble keeps the others from nothing. Raises OSError if the folder cannot be read.
    """
    for unfinished in unfinished_in(folder):
        _attempt(Path.unlink, unfinished)
    for file in files_in(folder):
        if file.kind is not Kind.COMPRESSED:
            _attempt(_cut, file.path)


def _attempt(work: Callable[[Path], None], path: Path) -> None:
    try:
        work(path)
    except OSError as error:
        structlog.get_logger("archive").warning("archive_not_recovered", file=str(path), error=str(error))


def _cut(path: Path) -> None:
    if cut := cut_torn_line(path):
        structlog.get_logger("archive").info("archive_line_cut", file=str(path), bytes=cut)


def cut_torn_line(path: Path) -> int:
    """Remove what stands after the last newline; returns how many bytes that was. Raises OSError."""
    with open_to_cut(path) as file:
        size = end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - _BLOCK_BYTES)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            file.truncate(end)
            os.fsync(file.fileno())
        return size - end


def open_to_cut(path: Path) -> BinaryIO:
    """Raises OSError, also for a link: what it leads to is not the archive's."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b")
