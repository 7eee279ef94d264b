"""How Grafana picks and writes ``$__interval``: roundInterval in the browser, FormatInterval in the backend."""

from bisect import bisect_right

_SECOND = 1000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

# From this many milliseconds a point on, the interval is the one beside it.
_ROUNDED = [
    (0, 1),
    (10, 10),
    (15, 20),
    (35, 50),
    (75, 100),
    (150, 200),
    (350, 500),
    (750, _SECOND),
    (1500, 2 * _SECOND),
    (3500, 5 * _SECOND),
    (7500, 10 * _SECOND),
    (12_500, 15 * _SECOND),
    (17_500, 20 * _SECOND),
    (25_000, 30 * _SECOND),
    (45_000, _MINUTE),
    (90_000, 2 * _MINUTE),
    (210_000, 5 * _MINUTE),
    (450_000, 10 * _MINUTE),
    (750_000, 15 * _MINUTE),
    (1_050_000, 20 * _MINUTE),
    (1_500_000, 30 * _MINUTE),
    (2_700_000, _HOUR),
    (5_400_000, 2 * _HOUR),
    (9_000_000, 3 * _HOUR),
    (16_200_000, 6 * _HOUR),
    (32_400_000, 12 * _HOUR),
    (_DAY, _DAY),
    (7 * _DAY, 7 * _DAY),
    (21 * _DAY, 30 * _DAY),
    (42 * _DAY, 365 * _DAY),
]
_UNITS = {"d": _DAY, "h": _HOUR, "m": _MINUTE, "s": _SECOND, "ms": 1}


def interval_ms(range_ms: int, points: int, minimum: str = "") -> int:
    """The interval for a range and the most points a panel draws; ``minimum`` is the panel's, such as ``1m``."""
    return max(_rounded(range_ms / points), parse(minimum) if minimum else 1)


def parse(text: str) -> int:
    """Milliseconds of ``1m``, ``10s``, ``500ms``."""
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * _UNITS[unit]


def written(milliseconds: int) -> str:
    """As the backend writes it into a query: whole units of the largest that fits."""
    unit = next(unit for unit, size in _UNITS.items() if milliseconds >= size)
    return f"{milliseconds // _UNITS[unit]}{unit}"


def _rounded(wanted: float) -> int:
    at = bisect_right([threshold for threshold, _ in _ROUNDED], wanted) - 1
    return _ROUNDED[max(at, 0)][1]
