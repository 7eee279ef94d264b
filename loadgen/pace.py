"""A pace: how many events have happened by a time, and when each of them happens. Exact, in whole numbers."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from loadgen.plan import Stage

NS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Slope:
    """A stretch of a run, ``length_ns`` long, in which the rate changes evenly or not at all.

    ``(square * t + linear) * t + base`` is the number of events by ``t`` ns after the start of the stretch, those
    of earlier stretches included, times ``unit``.
    """

    length_ns: int
    square: int
    linear: int
    base: int
    unit: int

    @classmethod
    def of(cls, stage: Stage, before: Fraction) -> Self:
        """The stage after so many events."""
        start, stop = _fraction(stage.start_rate), _fraction(stage.stop_rate)
        length_ns = round(_fraction(stage.seconds) * NS_PER_SECOND)
        # With this unit nothing is left to divide.
        unit = 2 * length_ns * NS_PER_SECOND * math.lcm(start.denominator, stop.denominator, before.denominator)
        square = (stop - start) * unit / (2 * length_ns * NS_PER_SECOND)
        linear = start * unit / NS_PER_SECOND
        terms = [int(square), int(linear), int(before * unit), unit]
        # Small numbers are fast ones: most slopes come down to a division by a few digits.
        shared = math.gcd(*terms)
        return cls(length_ns, *(term // shared for term in terms))

    @property
    def events(self) -> Fraction:
        """By the end."""
        return Fraction((self.square * self.length_ns + self.linear) * self.length_ns + self.base, self.unit)

    def count(self, ns: int) -> int:
        """How many events have happened before this time; the first of a run happens at its start."""
        return -((-(self.square * ns + self.linear) * ns - self.base) // self.unit)

    def event_ns(self, event: int) -> int:
        """When the number of events passes ``event``, rounded down to a ns."""
        wanted = event * self.unit - self.base
        if not self.square:
            return wanted // self.linear
        root = math.isqrt(self.linear * self.linear + 4 * self.square * wanted)
        ns = 2 * wanted // max(self.linear + root, 1)
        # The root was rounded down, so this is at most a little late; a falling rate rounds its own way.
        while (self.square * ns + self.linear) * ns > wanted:
            ns -= 1
        while ns < self.length_ns and (self.square * (ns + 1) + self.linear) * (ns + 1) <= wanted:
            ns += 1
        return ns


class Pace:
    """Slopes, one after the other. Before any time as many events happen as the integral of the rate, rounded up."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._slopes: list[Slope] = []
        self._starts_ns = [0]
        self._counts: list[int] = []
        events = Fraction(0)
        for stage in stages:
            slope = Slope.of(stage, events)
            events = slope.events
            self._slopes.append(slope)
            self._starts_ns.append(self._starts_ns[-1] + slope.length_ns)
            self._counts.append(math.ceil(events))

    @property
    def events(self) -> int:
        return self._counts[-1]

    @property
    def end_ns(self) -> int:
        return self._starts_ns[-1]

    def event_ns(self, event: int) -> int:
        """When event number ``event`` happens, from 0; at the end, if the pace has no such event."""
        place = bisect_right(self._counts, event)
        if place == len(self._slopes):
            return self.end_ns
        return self._starts_ns[place] + self._slopes[place].event_ns(event)

    def count(self, ns: int) -> int:
        """How many events happen before this time."""
        place = bisect_right(self._starts_ns, ns) - 1
        if place == len(self._slopes):
            return self.events
        return self._slopes[place].count(ns - self._starts_ns[place])


def _fraction(number: float) -> Fraction:
    """What was meant by a float: a tenth is a tenth."""
    return Fraction(number).limit_denominator(1_000_000)
