"""The fleet: which sensors a plan has, and what each of them is."""

from bisect import bisect_right
from itertools import accumulate
from random import Random
from typing import Final

from loadgen.plan import Plan
from loadgen.sensors.kind import Chance, Read
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


def fleet(plan: Plan, profile: Profile) -> tuple[list[Sensor], Chance]:
    """The sensors of the plan's share, and the chance of what they read.

    What a sensor is depends on the seed and its number alone, not on the share.
    """
    chance = Random(plan.seed).random  # noqa: S311 - a seed must give the same sensors again
    groups = [[kind.maker() for kind in group.kinds] for group in profile.groups]
    weights = list(accumulate(group.weight for group in profile.groups))
    sensors = []
    for number in range(plan.sensors):
        makers = groups[bisect_right(weights, chance() * weights[-1])]
        maker = makers[int(chance() * len(makers))]
        sensors.append(Sensor(_tag(number, plan.sensors), maker(chance)))
    if plan.share:
        chance = Random(f"{plan.seed}, share {plan.share}").random  # noqa: S311
    return sensors[plan.share :: plan.processes], chance


def _tag(number: int, sensors: int) -> str:
    digits = max(2, len(str(sensors)))
    return f"brasil.{REGIONS[number % len(REGIONS)]}.sensor{number + 1:0{digits}}"
