"""Where each worker keeps its spool: the main process in the data folder itself, each other one in a folder of it."""

import re
from pathlib import Path

_NAME = re.compile(r"worker-([1-9][0-9]*)")


def folder_of(data_dir: Path, number: int) -> Path:
    return data_dir / f"worker-{number}"


def numbers_in(data_dir: Path) -> list[int]:
    """Of all workers that ever had a folder there, in their order."""
    found = (_NAME.fullmatch(path.name) for path in data_dir.iterdir() if path.is_dir()) if data_dir.is_dir() else ()
    return sorted(int(match[1]) for match in found if match)
