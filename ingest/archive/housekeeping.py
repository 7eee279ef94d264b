"""What is done with hours that are over: they are compressed, and one day removed."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, get_native_id

import msgspec
import structlog

from ingest.archive.compress import Stopped, compress
from ingest.archive.names import FOLDERS, ArchiveFile, Kind, files_in, hour_ms, hour_name
from ingest.archive.passing import PassingTime
from ingest.archive.retention import Retention, expired
from ingest.metrics import ArchiveMetrics
from ingest.seldom import Seldom

_NICENESS = 10


class Holding(msgspec.Struct, frozen=True):
    """What the archive's files are, when last looked at."""

    files: int = 0
    bytes: int = 0


class Housekeeper:
    """Works in a thread of its own; ``stop`` makes it give up what it is at."""

    def __init__(self, archive: Path, retention: Retention, metrics: ArchiveMetrics) -> None:
        self._archive = archive
        self._retention = retention
        self._removed = metrics.removed
        self._log = structlog.get_logger("archive")
        self._stopping = Event()
        self._troubles: dict[Path, str] = {}
        self._passing = PassingTime(self._newest_ms())
        self._tell_of_clock = Seldom(self._log.warning)

    def stop(self) -> None:
        self._stopping.set()

    def past_hours(self, now_ms: int, status: str) -> Sequence[str]:
        """The hours that are over, but whose files could still be appended to."""
        files = files_in(self._archive / FOLDERS[status])
        return [file.hour for file in files if file.kind is Kind.OPEN and file.hour < hour_name(now_ms)]

    def tidy(self, now_ms: int) -> Holding:
        """Compress what is sealed, and remove what is too old or too much."""
        for file in self._files():
            if file.kind is Kind.SEALED and not self._stopping.is_set():
                self._attempt(self._compress, file)
        too_old = expired(self._files(), self._believable(now_ms), now_ms)
        removed = [file for file in too_old if self._attempt(_remove, file)]
        if removed:
            size = sum(file.bytes for file in removed)
            self._removed.inc(size)
            hours = [removed[0].hour, removed[-1].hour]
            self._log.info("archive_hours_removed", files=len(removed), bytes=size, hours=hours)
        left = self._files()
        return Holding(len(left), sum(file.bytes for file in left))

    def _believable(self, now_ms: int) -> Retention:
        """The retention, without the age while the clock may be wrong: it would take everything."""
        if self._passing.is_believable(now_ms) or not self._retention.max_age_ms:
            return self._retention
        self._tell_of_clock("archive_clock_jumped", hint="nothing is removed for its age for a day")
        return self._retention._replace(max_age_ms=0)

    def _newest_ms(self) -> int | None:
        """The hour in which the archive was written last."""
        return max((hour_ms(file.hour) for file in self._files()), default=None)

    def _files(self) -> list[ArchiveFile]:
        return [file for name in FOLDERS.values() for file in files_in(self._archive / name)]

    def _compress(self, file: ArchiveFile) -> None:
        path = compress(file, self._stopping.is_set)
        self._log.info("archive_compressed", file=str(path), bytes=[file.bytes, path.stat().st_size])

    def _attempt(self, work: Callable[[ArchiveFile], None], file: ArchiveFile) -> bool:
        """A file that gives trouble keeps the others from nothing, and is tried again; the log has it once."""
        try:
            work(file)
        except Stopped:
            return False
        except OSError as error:
            if self._troubles.get(file.path) != str(error):
                self._log.warning("archive_not_tidy", file=str(file.path), error=str(error))
            self._troubles[file.path] = str(error)
            return False
        self._troubles.pop(file.path, None)
        return True


def _remove(file: ArchiveFile) -> None:
    file.path.unlink()


def at_low_priority() -> None:
    """Let the calling thread give way to others. Elsewhere than on Linux only a whole process can."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)
