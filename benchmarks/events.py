"""The events that every peer is sent: all different, so that what arrived can be counted exactly.

A sensor walks in numbers of one or two decimals. One event in a hundred is an ``erro``, one sensor in a hundred texts.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

SENSORS: Final = 1000
START_MS: Final = 1_700_006_400_000
REGIONS: Final = ("norte", "nordeste", "centro-oeste", "sudeste", "sul")
TEXTS: Final = ("aberta", "fechada")
_WALK: Final = 1 << 16
_IN_A_HUNDRED: Final = 37

CONTENT_TYPES: Final = {
    "ndjson": "application/x-ndjson",
    "array": "application/json",
    "single": "application/json",
    "lp": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class Events:
    """Event ``n`` is of sensor ``n % sensors``, which sends one each ``step_ms`` from ``start_ms`` on."""

    sensors: int = SENSORS
    start_ms: int = START_MS
    step_ms: int = 1000

    def bodies(self, form: str, first: int, count: int, batch: int) -> Sequence[bytes]:
        """``count`` events from number ``first`` on, ``batch`` a body, in one of the forms of CONTENT_TYPES."""
        numbers = [range(at, min(at + batch, first + count)) for at in range(first, first + count, batch)]
        if form == "lp":
            return ["".join(map(self.line, body)).encode() for body in numbers]
        if form == "array":
            return [f"[{','.join(map(self.json, body))}]".encode() for body in numbers]
        return ["\n".join(map(self.json, body)).encode() for body in numbers]

    def json(self, number: int) -> str:
        tag, valor, timestamp_ms = self._parts(number)
        return f'{{"timestamp": {timestamp_ms}, "tag": "{tag}", "valor": "{valor}"}}'

    def line(self, number: int) -> str:
        """A line of the measurement ``events`` as it is stored, but for the time: its milliseconds are whole."""
        tag, valor, timestamp_ms = self._parts(number)
        country, region, sensor = tag.split(".")
        status = "processado" if valor else "erro"
        field = f"value={valor}" if valor and valor not in TEXTS else f'text="{valor}"'
        return (
            f"events,country={country},region={region},sensor={sensor},status={status} {field} {timestamp_ms}000000\n"
        )

    def _parts(self, number: int) -> tuple[str, str, int]:
        sensor, step = number % self.sensors, number // self.sensors
        timestamp_ms = self.start_ms + step * self.step_ms + sensor % self.step_ms
        return f"brasil.{REGIONS[sensor % 5]}.sensor{sensor:04}", _valor(sensor, step), timestamp_ms


def _valor(sensor: int, step: int) -> str:
    if (sensor + step) % 100 == _IN_A_HUNDRED:
        return ""
    if sensor % 100 == _IN_A_HUNDRED:
        return TEXTS[step % 2]
    return _walks()[sensor % 2][(sensor * 997 + step) % _WALK]


@lru_cache
def _walks() -> tuple[Sequence[str], Sequence[str]]:
    """The same walk with one decimal and with two."""
    walk = list(_steps())
    return [f"{value:.1f}" for value in walk], [f"{value:.2f}" for value in walk]


def _steps() -> Iterator[float]:
    chance = random.Random(7)  # noqa: S311 - the same walk every time
    value = 20.0
    for _ in range(_WALK):
        value = min(45.0, max(-5.0, value + chance.uniform(-0.4, 0.4)))
        yield value
