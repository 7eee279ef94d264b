"""Text states: a door, a pump, an alarm."""

from collections.abc import Callable
from dataclasses import dataclass

from loadgen.sensors.kind import Chance, Read


@dataclass(frozen=True)
class States:
    """One of a few words; the next one after ``readings`` readings on average."""

    words: tuple[str, ...]
    readings: int

    def maker(self) -> Callable[[Chance], Read]:
        return lambda chance: Speaker(self.words, 1 / self.readings, chance()).read


class Speaker:
    """Goes through its words in turn."""

    __slots__ = ("_leaves", "_now", "_words")

    def __init__(self, words: tuple[str, ...], leaves: float, start: float) -> None:
        self._words = words
        self._leaves = leaves
        self._now = int(start * len(words))

    def read(self, _timestamp_ms: int, chance: float) -> str:
        if chance < self._leaves:
            self._now = (self._now + 1) % len(self._words)
        return self._words[self._now]
