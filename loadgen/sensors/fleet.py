"""The fleet: which sensors a plan has, and what each of them is."""

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Final

from loadgen.plan import Plan
from loadgen.sensors.kind import Read
from loadgen.sensors.profile import Profile

REGIONS: Final = ("norte", "nordeste", "sudeste", "sul")


class Sensor:
    """One sensor: its tag, how it reads, when it last did (Unix ms), and the turn in which it speaks again."""

    __slots__ = ("last_ms", "read", "silent_until", "tag")

    def __init__(self, tag: str, read: Read) -> None:
        self.tag = tag
        self.read = read
        self.last_ms = -1
        self.silent_until = 0

    def get_stuck(self, text: str, readings: int) -> None:
        """Read ``text`` so many times, then go on as before."""
        before = self.read

        def read(timestamp_ms: int, chance: float) -> str:
            nonlocal readings
            if readings:
                readings -= 1
                return text
            self.read = before
            return before(timestamp_ms, chance)

        self.read = read


def fleet(plan: Plan, profile: Profile) -> list[Sensor]:
    """The sensors of the plan's share. What a sensor is depends on the seed and its number, not on the share."""
    chance = Random(plan.seed).random  # noqa: S311 - a seed must give the same sensors again
    makers = [kind.maker() for _, kind in profile.kinds]
    weights = list(accumulate(weight for weight, _ in profile.kinds))
    sensors = []
    for number in range(plan.sensors):
        maker = makers[_place(weights, chance())]
        sensors.append(Sensor(_tag(number, plan.sensors), maker(chance)))
    return sensors[plan.share :: plan.processes]


def _place(weights: Sequence[float], chance: float) -> int:
    wanted = chance * weights[-1]
    return next(place for place, weight in enumerate(weights) if wanted < weight)


def _tag(number: int, sensors: int) -> str:
    digits = max(2, len(str(sensors)))
    return f"brasil.{REGIONS[number % len(REGIONS)]}.sensor{number + 1:0{digits}}"
