"""A store whose file is damaged: it takes and gives nothing, and says what to do."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import structlog

from ingest.errors import DiskFailed, StoreUnavailable
from ingest.events import Events
from ingest.spool.set_aside import Note
from ingest.store import Found, Numbers, Position, Selection, SeriesCount


def way_out(path: Path, reason: str) -> str:
    """What an operator is told; nothing is done for him, for the file may hold years."""
    return (
        f"{path} is damaged ({reason}): stop ingest, and `ingest recover --data-dir {path.parent}` makes a new file"
        " of what is whole in it; the damaged one is kept"
    )


def what_is_behind(note: Note) -> str:
    """What an operator is told of a log's copy, when the store goes on with what was committed before the break."""
    return (
        f"{note.file}-wal is a copy of the log of events.db ({note.reason}): if the power failed, nothing acked is"
        " there, and it can be removed; otherwise stop ingest, and `ingest recover` also takes what is whole in it"
    )


class DamagedStore:
    """In the place of the embedded store of the file at ``path``, so that the service can tell of it."""

    keeps_other_measurements = False

    def __init__(self, path: Path, reason: str) -> None:
        self._said = way_out(path, reason)
        structlog.get_logger("store").error("store_damaged", reason=self._said)

    def sensors(self) -> Iterable[str]:
        return ()

    async def append(self, _: Events, __: Sequence[bytes]) -> None:
        """Raises DiskFailed."""
        raise DiskFailed(self._said)

    async def events(self, _: Selection, __: Position | None, ___: int, max_bytes: int = 0) -> Found:  # noqa: ARG002
        """Raises StoreUnavailable."""
        self._unavailable()

    async def counts(self, _: Selection) -> list[SeriesCount]:
        """Raises StoreUnavailable."""
        self._unavailable()

    async def numbers(self, _: Selection, __: int) -> list[Numbers]:
        """Raises StoreUnavailable."""
        self._unavailable()

    async def trouble(self) -> str | None:
        return self._said

    def warnings(self) -> Sequence[str]:
        return ()

    async def close(self) -> None:
        return

    def _unavailable(self) -> NoReturn:
        raise StoreUnavailable(self._said)
