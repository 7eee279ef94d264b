"""Step changes: a set point, a tank that is filled, a machine that changes speed."""

from collections.abc import Callable
from dataclasses import dataclass

from loadgen.sensors.kind import Chance, Read
from loadgen.sensors.scale import Scale


@dataclass(frozen=True)
class Steps:
    """A quantity that keeps to one of its ``levels`` for ``readings`` readings on average.

    There is a little ``noise``, but never below the lowest level: what stands still does not turn backwards.
    """

    levels: tuple[float, ...]
    noise: float
    readings: int
    decimals: int

    def maker(self) -> Callable[[Chance], Read]:
        scale = Scale.of(min(self.levels), max(self.levels) + self.noise, self.decimals)
        levels = tuple(map(scale.index, self.levels))
        noise = scale.length(self.noise)
        return lambda chance: Stepper(scale, levels, noise, 1 / self.readings, chance()).read


class Stepper:
    """Stays where it is, then is all at once at another level."""

    __slots__ = ("_leaves", "_level", "_levels", "_noise", "_texts", "_width")

    def __init__(self, scale: Scale, levels: tuple[int, ...], noise: int, leaves: float, start: float) -> None:
        self._texts = scale.texts
        self._levels = levels
        self._noise = noise
        self._width = 2 * noise + 1
        self._leaves = leaves
        self._level = levels[int(start * len(levels))]

    def read(self, _timestamp_ms: int, chance: float) -> str:
        if chance < self._leaves:
            self._level = self._levels[int(chance / self._leaves * len(self._levels))]
        reading = self._level + int(chance * self._width) - self._noise
        return self._texts[reading if reading > 0 else 0]
