"""The marks in a worker's spool, which it alone writes: it is asked for them, and told what is counted."""

from collections.abc import Sequence

from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.rows import Depth
from ingest.workers.member import Member
from ingest.workers.messages import Counted, Dirty, Done, WhatIsDirty

# What it has marked is not known before it was asked.
_UNKNOWN = Depth(dirty_minutes=1)


class MemberMarks:
    """Of a worker that does not answer there are none now; its marks stay until it does."""

    def __init__(self, member: Member) -> None:
        self._member = member

    @property
    def depth(self) -> Depth:
        report = self._member.report
        return report.depth if report else _UNKNOWN

    async def dirty(self, limit: int) -> list[DirtyMinute]:
        found = await self._member.ask(lambda number: WhatIsDirty(number, limit), Dirty)
        return found.minutes if found else []

    async def clean(self, counted: Sequence[DirtyMinute]) -> None:
        minutes = list(counted)
        await self._member.ask(lambda number: Counted(number, minutes), Done)
