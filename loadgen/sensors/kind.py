"""What every kind of sensor has in common."""

from collections.abc import Callable
from typing import Protocol

Chance = Callable[[], float]
Read = Callable[[int, float], str]


class Kind(Protocol):
    """A kind of sensor, as a profile declares it."""

    def maker(self) -> Callable[[Chance], Read]:
        """A maker of such sensors, which share the kind's tables; each draws what tells it from the others.

        A sensor is a function of the Unix time in ms and a chance in [0, 1) to its next reading.
        """
        ...
