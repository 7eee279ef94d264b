"""What the journal must not forget before the backlog has been told of it."""

from collections import Counter
from dataclasses import dataclass, field

from ingest.minutes import Mark
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.journal import Segment
from ingest.spool.segment import Broken


@dataclass(slots=True)
class Untold:
    """Minutes that events in InfluxDB have touched, bytes that the disk altered, and how many records they were."""

    marks: set[Mark] = field(default_factory=set)
    damaged: list[DamagedRow] = field(default_factory=list)
    released: Counter[Segment] = field(default_factory=Counter)

    def add(self, other: "Untold") -> None:
        self.marks |= other.marks
        self.damaged += other.damaged
        self.released += other.released

    def add_broken(self, broken: Broken, segment: Segment) -> None:
        reason = f"it stands broken at byte {broken.at} of {segment.path.name}"
        # How many points it was nobody knows.
        self.damaged.append(DamagedRow(0, reason, None, broken.content))
        self.released[segment] += 1
