"""Files with secrets that everybody may read."""

import stat
from pathlib import Path


def exposed(setting: str, path: Path) -> list[str]:
    """A sentence if every user of this machine may read what ``setting`` names."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return []
    return [f"{setting}: every user of this machine may read {path}"] if mode & stat.S_IRWXO else []
