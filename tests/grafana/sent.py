"""Events whose every count is known, and the points that they become: written here, without ``ingest``."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

MINUTE_MS = 60_000
# The range that the tests look at begins and ends inside a minute.
FROM_MS = 1_795_176_037_250
TO_MS = FROM_MS + 15 * MINUTE_MS + 11_500
_START_MS = FROM_MS - FROM_MS % MINUTE_MS


@dataclass(frozen=True, slots=True)
class Event:
    """``valor`` is a number, a text, or "" for an erro."""

    time_ms: int
    country: str
    region: str
    sensor: str
    valor: float | str

    @property
    def status(self) -> str:
        return "processado" if self.valor != "" else "erro"

    @property
    def number(self) -> float | None:
        return self.valor if isinstance(self.valor, float) else None

    @property
    def minute_ms(self) -> int:
        return self.time_ms - self.time_ms % MINUTE_MS

    @property
    def time_ns(self) -> int:
        """Apart from another event of the same millisecond, as an event's point is."""
        return self.time_ms * 1_000_000 + crc32(str(self.valor).encode()) % 1_000_000

    @property
    def shown(self) -> str:
        """As the tables show the valor."""
        return repr(self.valor).removesuffix(".0") if isinstance(self.valor, float) else self.valor

    def line(self) -> str:
        series = f"country={self.country},region={self.region},sensor={self.sensor},status={self.status}"
        field = f'text="{self.valor}"' if isinstance(self.valor, str) else f"value={self.valor}"
        return f"events,{series} {field} {self.time_ns}"


# Seconds of the range, counted from its first minute, in which sudeste's sensor01 was silent: twice for some seconds,
# once for a whole minute, once for a second, and from 900 on to the end.
MISSING_SECONDS = frozenset({70, 71, 72, 73, 74, 200, *range(240, 300), 455, 456})
LAST_SECOND = 899


def events() -> list[Event]:
    """All that was sent, each once."""
    return [*_every_second(), *_others(), *_of_other_times()]


def sensor01() -> list[Event]:
    """Those of the sensor that owes an event a second and has gaps."""
    return [one for one in events() if (one.country, one.region, one.sensor) == ("brasil", "sudeste", "sensor01")]


def lines(sent: Sequence[Event]) -> list[str]:
    """Points of ``events``: in no order, and a third of them twice, as after a crash."""
    chance = random.Random(4)
    delivered = [*sent, *chance.sample(list(sent), len(sent) // 3)]
    chance.shuffle(delivered)
    return [event.line() for event in delivered]


def _every_second() -> Iterator[Event]:
    for second in range(LAST_SECOND + 1):
        if second not in MISSING_SECONDS:
            valor: float | str = 20 + second % 17 / 2
            if second % 50 == 7:
                valor = ""
            elif second % 20 == 3:
                valor = "ligado" if second % 40 == 3 else "desligado"
            yield Event(_START_MS + second * 1000 + 137, "brasil", "sudeste", "sensor01", valor)


def _others() -> Iterator[Event]:
    for step in range(450):
        yield Event(_START_MS + step * 2000 + 41, "brasil", "sudeste", "sensor02", -1.5 - step % 3)
    for step in range(180):
        yield Event(_START_MS + step * 5000 + 999, "brasil", "sul", "sensor01", "aberto" if step % 2 else "fechado")
    for step in range(90):
        yield Event(_START_MS + step * 10_000, "chile", "sul", "sensor03", 1e6 + step)
    for step in range(30):
        yield Event(_START_MS + step * 30_000 + 500, "brasil", "centro-oeste", "sensor04", "")
    # Two of one sensor in one millisecond.
    yield Event(_START_MS + 100_041, "brasil", "sudeste", "sensor02", 99.25)
    yield Event(_START_MS + 100_041, "brasil", "sudeste", "sensor02", "99,25")


def _of_other_times() -> Iterator[Event]:
    """Outside the range, some of them by less than a minute."""
    yield Event(1_539_112_021_301, "brasil", "sudeste", "sensor01", 23.5)
    yield Event(FROM_MS - 366 * 86_400_000, "brasil", "norte", "sensor05", 7.0)
    yield Event(_START_MS - 1, "brasil", "sudeste", "sensor01", 500.0)
    yield Event(TO_MS + 2 * MINUTE_MS, "brasil", "sudeste", "sensor01", -500.0)
