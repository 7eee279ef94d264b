"""Which hours the archive no longer has to keep."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from ingest.archive.names import ArchiveFile, hour_name


class Retention(NamedTuple):
    """How long, and how much; 0 is without end."""

    max_age_ms: int = 0
    max_bytes: int = 0


def expired(files: Iterable[ArchiveFile], retention: Retention, now_ms: int) -> list[ArchiveFile]:
    """The files to remove: whole hours, of both statuses, the oldest first, and never the current one."""
    ordered = sorted(files, key=lambda file: file.hour)
    current, excess = hour_name(now_ms), sum(file.bytes for file in ordered) - retention.max_bytes
    # An hour is as old as its end: the hours before the one that ended then.
    oldest = hour_name(max(0, now_ms - retention.max_age_ms)) if retention.max_age_ms else ""
    removed: list[ArchiveFile] = []
    for hour, group in groupby(ordered, key=lambda file: file.hour):
        if hour >= current or not (hour < oldest or (retention.max_bytes and excess > 0)):
            break
        of_hour: Sequence[ArchiveFile] = list(group)
        excess -= sum(file.bytes for file in of_hour)
        removed += of_hour
    return removed
