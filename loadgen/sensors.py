"""Believable sensors: a plan's seed becomes an endless stream of events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle
from random import Random
from typing import Final

import msgspec

from loadgen.pacer import Pacer
from loadgen.plan import Plan

REGIONS: Final = ("norte", "nordeste", "sudeste", "sul")
TEXT_SHARE: Final = 0.05
EMPTY_SHARE: Final = 0.01
NS_PER_MS: Final = 1_000_000


class Event(msgspec.Struct, frozen=True, gc=False):
    """One reading; ``timestamp`` is Unix time in ms."""

    timestamp: int
    tag: str
    valor: str


@dataclass(frozen=True)
class Quantity:
    """What a numeric sensor measures: its range, and the widest step between two readings."""

    low: float
    high: float
    step: float
    decimals: int


QUANTITIES: Final = (
    Quantity(-5, 42, 0.3, 1),  # temperature, °C
    Quantity(15, 100, 0.8, 1),  # relative humidity, %
    Quantity(870, 1035, 0.4, 1),  # air pressure, hPa
    Quantity(11.2, 14.4, 0.05, 2),  # battery, V
    Quantity(0, 12, 0.09, 2),  # river level, m
)

STATES: Final = (
    ("aberta", "fechada"),
    ("ligado", "desligado"),
    ("normal", "atenção", "crítico"),
    ("em operação", "manutenção", "sem comunicação"),
)


class NumericSensor:
    """A random walk that turns back at the ends of its range."""

    def __init__(self, tag: str, quantity: Quantity, start: float) -> None:
        self.tag = tag
        self.last_ms = -1
        self._unit = 10**quantity.decimals
        self._low = round(quantity.low * self._unit)
        self._high = round(quantity.high * self._unit)
        self._step = round(quantity.step * self._unit)
        self._now = self._low + int(start * (self._high - self._low))
        self._decimals = quantity.decimals

    def read(self, chance: float) -> str:
        self._now += int(chance * (2 * self._step + 1)) - self._step
        self._now = min(max(self._now, self._low), self._high)
        return f"{self._now / self._unit:.{self._decimals}f}"


class StateSensor:
    """A sensor of words, which stays in its state nine times out of ten."""

    def __init__(self, tag: str, states: tuple[str, ...], start: float) -> None:
        self.tag = tag
        self.last_ms = -1
        self._states = states
        self._now = int(start * len(states))

    def read(self, chance: float) -> str:
        if chance < 0.1:
            self._now = (self._now + 1) % len(self._states)
        return self._states[self._now]


Sensor = NumericSensor | StateSensor


def events(plan: Plan) -> Iterator[Event]:
    """The run's events in order, without end. The sensors take turns; timestamps never go back.

    A sensor's own timestamps strictly increase, so every event of a run has an identity of its own.
    """
    chance = Random(plan.seed).random  # noqa: S311 - a seed must give the same events again
    pacer = Pacer.of(plan)
    sensors = [_sensor(number, plan.sensors, chance) for number in range(plan.sensors)]
    for index, sensor in zip(count(), cycle(sensors), strict=False):
        planned_ms = plan.start_ms + pacer.event_ns(index) // NS_PER_MS
        sensor.last_ms = max(planned_ms, sensor.last_ms + 1)
        yield Event(sensor.last_ms, sensor.tag, _valor(sensor, chance()))


def _valor(sensor: Sensor, chance: float) -> str:
    if chance < EMPTY_SHARE:
        return ""
    return sensor.read((chance - EMPTY_SHARE) / (1 - EMPTY_SHARE))


def _sensor(number: int, sensors: int, chance: Callable[[], float]) -> Sensor:
    digits = max(2, len(str(sensors)))
    tag = f"brasil.{REGIONS[number % len(REGIONS)]}.sensor{number + 1:0{digits}}"
    if chance() < TEXT_SHARE:
        return StateSensor(tag, STATES[int(chance() * len(STATES))], chance())
    return NumericSensor(tag, QUANTITIES[int(chance() * len(QUANTITIES))], chance())
