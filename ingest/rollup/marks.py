"""The minutes that wait to be counted again, in one spool or in several."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ingest.minutes import Mark
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.rows import Depth


class Marks(Protocol):
    """Where marks are, as a Spool is. ``depth`` is as far as it is known."""

    @property
    def depth(self) -> Depth: ...

    async def dirty(self, limit: int) -> list[DirtyMinute]:
        """Up to ``limit`` minutes that wait to be counted again, the newest first. Raises DiskFailed."""
        ...

    async def clean(self, counted: Sequence[DirtyMinute]) -> None:
        """Forget what was counted, but for what was marked again since ``dirty`` gave it. Raises DiskFailed."""
        ...


class JoinedMarks:
    """Those of several spools: a minute that is marked in some of them is counted once, and all of them forget it."""

    def __init__(self, sources: Sequence[Marks]) -> None:
        self._sources = sources
        self._marked: dict[Mark, list[tuple[Marks, DirtyMinute]]] = {}

    @property
    def depth(self) -> Depth:
        depths = [source.depth for source in self._sources]
        return msgspec.structs.replace(
            Depth(),
            points=sum(depth.points for depth in depths),
            dirty_minutes=sum(depth.dirty_minutes for depth in depths),
        )

    async def dirty(self, limit: int) -> list[DirtyMinute]:
        marked: dict[Mark, list[tuple[Marks, DirtyMinute]]] = {}
        for source in self._sources:
            for one in await source.dirty(limit):
                marked.setdefault(one.mark, []).append((source, one))
        self._marked = marked
        # Marked again anywhere it has another number.
        found = [DirtyMinute(mark, sum(one.marked for _, one in marks)) for mark, marks in marked.items()]
        return sorted(found, key=_newest_first)[:limit]

    async def clean(self, counted: Sequence[DirtyMinute]) -> None:
        """Those of the last ``dirty``."""
        for source in self._sources:
            own = [one for dirty in counted for at, one in self._marked[dirty.mark] if at is source]
            if own:
                await source.clean(own)


def _newest_first(dirty: DirtyMinute) -> tuple[int, str]:
    return -dirty.mark.start_ms, dirty.mark.tag
