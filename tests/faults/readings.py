"""What the senders send: readings that no two runs of one seed differ in, and no two of which are alike."""

import string
from random import Random

import msgspec

Key = tuple[int, str]
"""The timestamp in ms and the tag: of all the readings of a run only one has it."""

SENSORS = tuple(f"brasil.{region}.s{number}" for region in ("norte", "sul", "são-tomé") for number in range(6))
DOOMED = "brasil.sul.condenado"
"""The sensor whose points a fault may have InfluxDB refuse."""

_BAD_TAGS = ("brasil.sul", "brasil..s1", "brasil.sul.s 1", "brasil.sul.s1.x")
_PIECES = (
    "\n",
    '"',
    "\\",
    "'",
    ",",
    "=",
    " ",
    "\t",
    "é",
    "漢",
    "🌧",
    "text=",
    "events,country=x value=1 1",
    "\\n",
    "%",
    "\x7f",
)


class Reading(msgspec.Struct, frozen=True):
    """An event, as it goes out and as it must come back.

    ``valor`` is what JSON carries; ``stored`` the float of a numeric one, the text of any other, "" of an ``erro``.
    """

    timestamp_ms: int
    tag: str
    valor: str | int | float | None
    stored: float | str
    is_bad: bool = False

    @property
    def key(self) -> Key:
        return self.timestamp_ms, self.tag

    @property
    def status(self) -> str:
        return "erro" if self.stored == "" else "processado"


class Readings:
    """An endless source. ``first`` and ``step`` keep the timestamps (Unix ms) of several sources apart."""

    def __init__(self, random: Random, first_ms: int, step_ms: int) -> None:
        self._random = random
        self._next_ms = first_ms
        self._step_ms = step_ms

    def take(self, number: int) -> list[Reading]:
        return [self._one() for _ in range(number)]

    def bad(self) -> Reading:
        """One that must be refused, with a reason, and cost its neighbours nothing."""
        return Reading(self._time_ms(), self._random.choice(_BAD_TAGS), "1", 1.0, is_bad=True)

    def _one(self) -> Reading:
        chosen = self._random.random()
        tag = DOOMED if chosen < 0.02 else self._random.choice(SENSORS)
        valor, stored = _valor(self._random)
        return Reading(self._time_ms(), tag, valor, stored)

    def _time_ms(self) -> int:
        self._next_ms += self._step_ms
        return self._next_ms


def _valor(random: Random) -> tuple[str | int | float | None, float | str]:
    chosen = random.random()
    if chosen < 0.5:
        number = round(random.uniform(-100, 100), random.randrange(4))
        return str(number), number
    if chosen < 0.6:
        whole = random.randrange(-(10**6), 10**6)
        return whole, float(whole)
    if chosen < 0.7:
        mantissa, exponent = random.randrange(1, 10**5), random.randrange(-30, 30)
        return f"{mantissa}e{exponent}", float(f"{mantissa}e{exponent}")
    if chosen < 0.8:
        return random.choice(("", " ", "\t\n", None)), ""
    text = _text(random)
    return text, text


def _text(random: Random) -> str:
    # A letter at each end: whatever stands between, it is no number and not blank.
    length = 400 if random.random() < 0.02 else random.randrange(12)
    inner = "".join(random.choice((*_PIECES, *string.ascii_letters, *string.digits)) for _ in range(length))
    return f"x{inner}y"
