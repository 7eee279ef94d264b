"""An hour that is over, compressed: a file that is called ``.ndjson.gz`` is complete."""

import gzip
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from ingest.archive.folder import sync_folder
from ingest.archive.names import UNFINISHED, ArchiveFile, Kind, check_not_foreign, path_of

_CHUNK_BYTES = 2**20
_LEVEL = 6
# A gzip member ends with the CRC-32 of what it holds and its length, in 32 bits each.
_TRAILER_BYTES = 8


class Stopped(Exception):
    """The service ends; what was begun is left unfinished."""


def compress(sealed: ArchiveFile, is_stopping: Callable[[], bool]) -> Path:
    """Make a gzip member of ``sealed``, after those the hour's file may have already, then remove ``sealed``.

    Killed at any point, it leaves all lines in one complete file or the other, and can be called again.
    Raises OSError or Stopped.
    """
    folder = sealed.path.parent
    target = path_of(folder, sealed.hour, Kind.COMPRESSED)
    unfinished = target.with_name(target.name + UNFINISHED)
    for path in (target, unfinished):
        check_not_foreign(path)
    if not (target.exists() and _ends_with(target, sealed.path)):
        try:
            _write(unfinished, target, sealed.path, is_stopping)
            unfinished.replace(target)
        except (OSError, Stopped):
            unfinished.unlink(missing_ok=True)
            raise
        sync_folder(folder)
    sealed.path.unlink()
    return target


def _write(unfinished: Path, members: Path, sealed: Path, is_stopping: Callable[[], bool]) -> None:
    with unfinished.open("wb") as out:
        if members.exists():
            with members.open("rb") as earlier:
                shutil.copyfileobj(earlier, out, _CHUNK_BYTES)
        _add_member(sealed, out, is_stopping)
        out.flush()
        os.fsync(out.fileno())


def _add_member(source: Path, out: BinaryIO, is_stopping: Callable[[], bool]) -> None:
    with gzip.GzipFile("", "wb", _LEVEL, out, mtime=0) as member:
        for chunk in _chunks(source):
            if is_stopping():
                raise Stopped
            member.write(chunk)


def _ends_with(target: Path, sealed: Path) -> bool:
    """Whether the last member of ``target`` is ``sealed``: then a kill came before it was removed."""
    checksum = length = 0
    for chunk in _chunks(sealed):
        checksum, length = zlib.crc32(chunk, checksum), length + len(chunk)
    with target.open("rb") as file:
        file.seek(-_TRAILER_BYTES, os.SEEK_END)
        return file.read() == checksum.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
