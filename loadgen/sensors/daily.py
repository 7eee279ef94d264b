"""Daily curves: temperature, humidity, sunlight, traffic, by the local hour of Brazil."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from loadgen.sensors.kind import Chance, Read
from loadgen.sensors.scale import Scale

MS_PER_MINUTE = 60_000
MINUTES_PER_DAY = 1440
BRASILIA_MINUTES = -3 * 60
WANDER_STEPS = 100
WIDEST_WANDER_STEP = 6


@dataclass(frozen=True)
class Daily:
    """A quantity that follows the hours of the day.

    ``curve`` has a share for each hour from midnight on: 0 is ``low``, 1 is ``high``. Every sensor wanders around it
    by up to ``wander``; where ``shaded``, by that much at noon and not at all where the curve is 0, as clouds do.
    """

    curve: tuple[float, ...]
    low: float
    high: float
    wander: float
    decimals: int
    shaded: bool = False

    def maker(self) -> Callable[[Chance], Read]:
        margin = 0 if self.shaded else self.wander
        scale = Scale.of(self.low - margin, self.high + self.wander, self.decimals)
        by_minute = minutes(self.curve)
        base = tuple(scale.index(self.low + share * (self.high - self.low)) for share in by_minute)
        wander = tuple(scale.length(self.wander * (share if self.shaded else 1)) for share in by_minute)
        return lambda chance: Follower(scale, base, wander, chance()).read


class Follower:
    """Follows the curve at a distance that changes slowly."""

    __slots__ = ("_base", "_distance", "_texts", "_wander")

    def __init__(self, scale: Scale, base: tuple[int, ...], wander: tuple[int, ...], start: float) -> None:
        self._texts = scale.texts
        self._base = base
        self._wander = wander
        self._distance = int(start * (2 * WANDER_STEPS + 1)) - WANDER_STEPS

    def read(self, timestamp_ms: int, chance: float) -> str:
        distance = self._distance + int(chance * (2 * WIDEST_WANDER_STEP + 1)) - WIDEST_WANDER_STEP
        if distance < -WANDER_STEPS:
            distance = -WANDER_STEPS
        elif distance > WANDER_STEPS:
            distance = WANDER_STEPS
        self._distance = distance
        minute = (timestamp_ms // MS_PER_MINUTE + BRASILIA_MINUTES) % MINUTES_PER_DAY
        return self._texts[self._base[minute] + self._wander[minute] * distance // WANDER_STEPS]


def minutes(curve: tuple[float, ...]) -> list[float]:
    """The curve by the minute: straight from each hour to the next, and from the last to midnight."""
    return [
        before + (after - before) * minute / 60
        for before, after in pairwise((*curve, curve[0]))
        for minute in range(60)
    ]
