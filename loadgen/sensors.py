"""Believable sensors: a plan's seed becomes an endless stream of events."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Final

import msgspec

from loadgen.pacer import Pacer
from loadgen.plan import Plan

REGIONS: Final = ("norte", "nordeste", "sudeste", "sul")
TEXT_SHARE: Final = 0.05
EMPTY_SHARE: Final = 0.01
FULL_SHARE: Final = 1 - EMPTY_SHARE


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


class Scale:
    """A quantity in its smallest steps, from 0 to ``top``; ``texts`` says how each is written."""

    def __init__(self, quantity: Quantity) -> None:
        unit: int = 10**quantity.decimals
        low, high = round(quantity.low * unit), round(quantity.high * unit)
        self.top: int = high - low
        self.step: int = round(quantity.step * unit)
        # Written once: to format a number takes longer than all else that is done to draw an event.
        self.texts: list[str] = [f"{number / unit:.{quantity.decimals}f}" for number in range(low, high + 1)]


class NumericSensor:
    """A random walk that turns back at the ends of its range."""

    __slots__ = ("_now", "_step", "_texts", "_top", "_widths", "last_ms", "tag")

    def __init__(self, tag: str, scale: Scale, start: float) -> None:
        self.tag = tag
        self.last_ms = -1
        self._top = scale.top
        self._step = scale.step
        self._widths = 2 * scale.step + 1
        self._texts = scale.texts
        self._now = int(start * scale.top)

    def read(self, chance: float) -> str:
        now = self._now + int(chance * self._widths) - self._step
        if now < 0:
            now = 0
        elif now > self._top:
            now = self._top
        self._now = now
        return self._texts[now]


class StateSensor:
    """A sensor of words, which stays in its state nine times out of ten."""

    __slots__ = ("_now", "_states", "last_ms", "tag")

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
    """The events of the plan's share in order, without end. The sensors take turns; timestamps never go back.

    A sensor's own timestamps strictly increase, so every event of a run has an identity of its own.
    """
    start_ms = plan.start_ms
    sensors, chance = _sensors(plan)
    for ms, sensor in zip(Pacer.of(plan).events_ms(), cycle(sensors), strict=False):
        timestamp = start_ms + ms
        if timestamp <= sensor.last_ms:
            timestamp = sensor.last_ms + 1
        sensor.last_ms = timestamp
        drawn = chance()
        yield Event(
            timestamp, sensor.tag, "" if drawn < EMPTY_SHARE else sensor.read((drawn - EMPTY_SHARE) / FULL_SHARE)
        )


def _sensors(plan: Plan) -> tuple[list[Sensor], Callable[[], float]]:
    """The sensors of the plan's share, and the chance of their readings."""
    chance = Random(plan.seed).random  # noqa: S311 - a seed must give the same events again
    scales = [Scale(quantity) for quantity in QUANTITIES]
    everybody = [_sensor(number, plan.sensors, scales, chance) for number in range(plan.sensors)]
    if plan.share:
        chance = Random(f"{plan.seed}, share {plan.share}").random  # noqa: S311
    return everybody[plan.share :: plan.processes], chance


def _sensor(number: int, sensors: int, scales: Sequence[Scale], chance: Callable[[], float]) -> Sensor:
    digits = max(2, len(str(sensors)))
    tag = f"brasil.{REGIONS[number % len(REGIONS)]}.sensor{number + 1:0{digits}}"
    if chance() < TEXT_SHARE:
        return StateSensor(tag, STATES[int(chance() * len(STATES))], chance())
    return NumericSensor(tag, scales[int(chance() * len(scales))], chance())
