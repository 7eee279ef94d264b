"""Whether an SQLite file is fit to be opened: what can be seen at once, however large it is.

SQLite itself would say nothing of it: a log is replayed up to its first broken frame, a missing file made anew.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ingest.salvage.wal import Wal, read_wal
from ingest.spool.held import Held

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100


class Look(NamedTuple):
    """What is seen of a file: ``damage`` is why it is not fit to be opened.

    ``log_break`` says that whole pages stand behind a broken one of its log. SQLite leaves them out, and opens what was
    committed before: it may be that the power failed in a commit that nobody was told of, or that the disk is bad.
    """

    damage: str | None
    log_break: str | None = None


def look_at(path: Path) -> Look:
    """Look at the file at ``path`` and its log. Raises OSError."""
    wal = read_wal(path.with_name(path.name + "-wal"))
    behind = f"its log is broken, and {wal.cut_off} pages of it stand behind the break" if wal and wal.cut_off else None
    size = path.stat().st_size if path.exists() else 0
    if not size:
        return Look("the file is gone, its log is there" if wal and wal.frames else None)
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        return Look(f"it cannot be read: {error}")
    if not header.startswith(_MAGIC) or len(header) < _HEADER_BYTES:
        return Look("it does not begin as an SQLite file does")
    return Look(_shortness(header, size, wal), behind)


def missing(held: Held | None, last_id: int) -> str | None:
    """What to say if the file has not come as far as it had: it is another one, or its log is gone."""
    if held is None or held.last_id <= last_id:
        return None
    when = datetime.fromtimestamp(held.time_ms / 1000, UTC).isoformat(timespec="seconds")
    return f"the spool was missing, or an older one: at {when} there was one in which {held.points} points waited"


def _shortness(header: bytes, size: int, wal: Wal | None) -> str | None:
    page_size = int.from_bytes(header[16:18], "big")
    if page_size not in (2**power for power in range(9, 16)):
        return f"it says that its pages have {page_size} bytes"
    replayed = wal.frames[: wal.replayed] if wal else []
    stated = next((frame.pages for frame in reversed(replayed) if frame.pages), 0)
    if not stated and header[24:28] == header[92:96]:
        stated = int.from_bytes(header[28:32], "big")
    there = size // page_size
    # By their number: a broken header may state billions.
    logged = {frame.page for frame in replayed if there < frame.page <= stated}
    if stated > there + len(logged):
        return f"it has {there} of {stated} pages"
    return None
