"""Which files a replay reads, and in which order."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

# The names that the archive gives its files, and any others with the same endings.
NAME: Final = re.compile(r"(?P<stem>.+?)(\.sealed)?\.(ndjson|jsonl)(\.gz)?")
STDIN: Final = Path("-")


class NoFilesError(Exception):
    """There is nothing to read; the text says where."""


def groups(paths: Sequence[Path]) -> list[list[Path]]:
    """The files to read, group after group; those of a group are of the same time and are to be read side by side.

    In a folder, however deep, files of the same name are a group: ``processed/2026-11-23T14.ndjson.gz`` and
    ``error/2026-11-23T14.ndjson``. Names give the order. Raises NoFilesError.
    """
    found: list[list[Path]] = []
    for path in paths:
        if path != STDIN and not path.exists():
            raise NoFilesError(f"{path} does not exist")
        found.extend(_in_folder(path) if path.is_dir() else [[path]])
    return found


def _in_folder(folder: Path) -> Iterator[list[Path]]:
    files = [path for path in folder.rglob("*") if NAME.fullmatch(path.name) and path.is_file()]
    if not files:
        raise NoFilesError(f"{folder} holds no .ndjson or .ndjson.gz file")
    for _, group in groupby(sorted(files, key=_order), key=_stem):
        yield list(group)


def _order(path: Path) -> tuple[str, Path]:
    return _stem(path), path


def _stem(path: Path) -> str:
    match = NAME.fullmatch(path.name)
    return match["stem"] if match else path.name
