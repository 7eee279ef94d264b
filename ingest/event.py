"""The event: what it is, what makes it numeric, and which point in time it becomes."""

import math
from zlib import crc32

import msgspec

NS_PER_MS = 1_000_000
# Beyond it no store can hold the point's time: 64 bits of nanoseconds, the last of which mean something to InfluxDB.
MAX_TIMESTAMP_MS = 2**63 // NS_PER_MS - 1

PROCESSADO = "processado"
ERRO = "erro"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One reading. Its identity is all three fields; ``valor`` is "" exactly when the status is ``erro``."""

    timestamp_ms: int = msgspec.field(name="timestamp")
    tag: str
    valor: str


def status_of(valor: str) -> str:
    return PROCESSADO if valor else ERRO


def offset_ns(valor: str) -> int:
    """Where in its millisecond an event's point lies: in [0, 999 999], decided by ``valor`` alone.

    InfluxDB overwrites a point of the same series and time; the offset keeps two values of one millisecond
    apart, and the same event, delivered twice, lands on itself.
    """
    return crc32(valor.encode()) % NS_PER_MS


def time_ns(timestamp_ms: int, valor: str) -> int:
    """The time of the event's point."""
    return timestamp_ms * NS_PER_MS + offset_ns(valor)


def number(valor: str) -> float | None:
    """The value of a plain decimal number (``-12``, ``3.5``, ``1e6``), None for every other text.

    ``float()`` alone also takes ``nan``, ``inf``, ``1_000``, ``٣`` and surrounding blanks. A number that
    overflows a float stays text, for it would be stored as something else.
    """
    try:
        value = float(valor)
    except ValueError:
        return None
    plain = math.isfinite(value) and valor.isascii() and "_" not in valor and valor.strip() == valor
    return value if plain else None


def shortest(value: float) -> str:
    """A number as it is shown: the shortest text that reads back as the same float; minus zero is 0."""
    return repr(value + 0.0).removesuffix(".0")
