"""How the archive's files are named: by status, and by the hour in UTC in which their events arrived."""

import errno
import os
import re
import stat
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from ingest.event import ERRO, PROCESSADO

FOLDERS = {PROCESSADO: "processed", ERRO: "error"}
UNFINISHED = ".tmp"
_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)((?:\.sealed)?\.ndjson|\.ndjson\.gz)")
_UNFINISHED_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d\.ndjson\.gz" + re.escape(UNFINISHED))
_HOUR_CHARACTERS = len("2026-11-23T14")


class Kind(StrEnum):
    """What a file's name ends with. A sealed one is appended to no more, and is about to be compressed."""

    OPEN = ".ndjson"
    SEALED = ".sealed.ndjson"
    COMPRESSED = ".ndjson.gz"


class ArchiveFile(msgspec.Struct, frozen=True):
    """A file of one status and hour; hours sort by their names."""

    hour: str
    kind: Kind
    path: Path
    bytes: int


def hour_name(time_ms: int) -> str:
    """The hour of a Unix time in milliseconds, like ``2026-11-23T14``."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).isoformat()[:_HOUR_CHARACTERS]


def hour_ms(name: str) -> int:
    """The Unix time in milliseconds at which the hour ``name`` begins; 0 where there is no such hour."""
    try:
        return int(datetime.strptime(f"{name}+0000", "%Y-%m-%dT%H%z").timestamp() * 1000)
    except ValueError:
        return 0


def path_of(folder: Path, hour: str, kind: Kind) -> Path:
    return folder / f"{hour}{kind}"


def files_in(folder: Path) -> list[ArchiveFile]:
    """The archive's files in the folder of a status, the oldest first; whatever else lies there is passed over."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        status = regular(path) if match else None
        if match and status:
            found.append(ArchiveFile(match[1], Kind(match[2]), path, status.st_size))
    return sorted(found, key=lambda file: file.path.name)


def unfinished_in(folder: Path) -> list[Path]:
    """What compressions that were killed have left."""
    return [path for path in folder.iterdir() if _UNFINISHED_NAME.fullmatch(path.name) and regular(path)]


def regular(path: Path) -> os.stat_result | None:
    """The state of a file; None if there is none, or something else has its name: a link is somebody else's."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def check_not_foreign(path: Path) -> None:
    """Raises OSError if something lies at ``path`` that the archive did not put there."""
    if os.path.lexists(path) and not regular(path):
        raise OSError(
            errno.EEXIST, "something that is no file has the name of one of the archive's; move it", str(path)
        )
