"""Random walks: pressure, battery, river level."""

from collections.abc import Callable
from dataclasses import dataclass

from loadgen.sensors.kind import Chance, Read
from loadgen.sensors.scale import Scale


@dataclass(frozen=True)
class Walk:
    """A quantity that wanders through its whole range, by at most ``step`` between two readings."""

    low: float
    high: float
    step: float
    decimals: int

    def maker(self) -> Callable[[Chance], Read]:
        scale = Scale.of(self.low, self.high, self.decimals)
        step = scale.length(self.step)
        return lambda chance: Walker(scale, step, chance()).read


class Walker:
    """Walks, and turns back at the ends of its range."""

    __slots__ = ("_now", "_step", "_texts", "_top", "_width")

    def __init__(self, scale: Scale, step: int, start: float) -> None:
        self._texts = scale.texts
        self._top = scale.top
        self._step = step
        self._width = 2 * step + 1
        self._now = int(start * scale.top)

    def read(self, _timestamp_ms: int, chance: float) -> str:
        now = self._now + int(chance * self._width) - self._step
        if now < 0:
            now = 0
        elif now > self._top:
            now = self._top
        self._now = now
        return self._texts[now]
