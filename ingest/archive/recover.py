"""What a process that was killed may have left, put in order before anything is appended."""

import os
from pathlib import Path

import structlog

from ingest.archive.names import UNFINISHED, Kind, files_in

_BLOCK_BYTES = 65_536


def recover(folder: Path) -> None:
    """Cut torn last lines, which were never acked, and remove what a compression did not finish. Raises OSError."""
    for unfinished in folder.glob(f"*{UNFINISHED}"):
        unfinished.unlink()
    for file in files_in(folder):
        if file.kind is not Kind.COMPRESSED and (cut := cut_torn_line(file.path)):
            structlog.get_logger("archive").info("archive_line_cut", file=str(file.path), bytes=cut)


def cut_torn_line(path: Path) -> int:
    """Remove what stands after the last newline; returns how many bytes that was."""
    with path.open("r+b") as file:
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
