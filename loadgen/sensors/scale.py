"""The scale of a numeric sensor: its range in steps of its last digit, and the text of each."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Scale:
    """Readings are indexes into ``texts``, from 0 at the low end to ``top``; ``unit`` of them make 1."""

    texts: tuple[str, ...]
    low: float
    unit: int

    @classmethod
    def of(cls, low: float, high: float, decimals: int) -> Self:
        # Made once: to format a float costs more than all the rest of a reading.
        unit = 10**decimals
        steps = range(round(low * unit), round(high * unit) + 1)
        return cls(tuple(f"{step / unit:.{decimals}f}" for step in steps), low, unit)

    @property
    def top(self) -> int:
        return len(self.texts) - 1

    def index(self, value: float) -> int:
        return round((value - self.low) * self.unit)

    def length(self, difference: float) -> int:
        return round(difference * self.unit)
