"""Mishaps: what happens to some readings, drawn by the shares of a profile's troubles."""

from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum, auto
from itertools import accumulate
from typing import Self

from loadgen.sensors.profile import Troubles

# In readings: how long sensors are stuck or silent, and how much later late and repeated events come.
STUCK_READINGS = (20, 200)
SILENT_READINGS = (30, 600)
LATE_TURNS = (2, 60)
REPEATED_TURNS = (0, 5)


class Mishap(Enum):
    """What may happen to a reading."""

    EMPTY = auto()
    LATE = auto()
    REPEATED = auto()
    STUCK = auto()
    SILENT = auto()


@dataclass(frozen=True)
class Mishaps:
    """Mishaps by chance: a chance below ``share`` draws one, any other none."""

    limits: tuple[float, ...]

    @classmethod
    def of(cls, troubles: Troubles) -> Self:
        stuck = _starts(troubles.stuck, STUCK_READINGS)
        silent = _starts(troubles.silent, SILENT_READINGS)
        return cls(tuple(accumulate((troubles.empty, troubles.late, troubles.repeated, stuck, silent))))

    @property
    def share(self) -> float:
        return self.limits[-1]

    def drawn(self, chance: float) -> Mishap:
        return _ORDER[bisect_right(self.limits, chance)]


_ORDER = tuple(Mishap)


def between(limits: tuple[int, int], chance: float) -> int:
    low, high = limits
    return low + int(chance * (high - low + 1))


def _starts(share: float, readings: tuple[int, int]) -> float:
    """The share of readings with which such a spell has to begin."""
    return share / (1 - share) / (sum(readings) / 2)
