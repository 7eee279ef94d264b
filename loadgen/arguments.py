"""What may stand on the command line: each argument's text to its value, or one sentence on what would work."""

import math
import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Final

from loadgen.plan import Stage
from loadgen.target import BadUrlError, Target

DEFAULT_URL: Final = "http://127.0.0.1:5000"
UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# Each takes some 350 bytes and 4 µs to set up.
MOST_SENSORS: Final = 10_000_000
LAST_MS: Final = 253_402_300_799_999
DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)


def duration_seconds(text: str) -> float:
    """``500ms``, ``60s``, ``5m`` or ``1h`` in seconds."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ArgumentTypeError(f"{text!r} is no duration; write it like 500ms, 60s, 5m or 1h")
    return float(match[1]) * UNITS[match[2]]


def wait_seconds(text: str) -> float:
    return 0.0 if text == "0" else duration_seconds(text)


def timeout_seconds(text: str) -> float:
    seconds = duration_seconds(text)
    if not seconds:
        raise ArgumentTypeError("no answer can come within no time; write for example 30s")
    return seconds


def limit_seconds(text: str) -> float | None:
    """A duration, or None for ``forever`` and anything of length 0."""
    return None if text in ("0", "forever") else duration_seconds(text) or None


def rate(text: str) -> float:
    """Events a second; 0 for as many as will go."""
    number = _number(text)
    if not 0 <= number <= 1e9:
        raise ArgumentTypeError(f"{text!r} is no rate; write events a second like 1000 or 0.5, or 0 for full speed")
    if 0 < number < 1e-6:
        raise ArgumentTypeError(f"{text!r} is too slow; the slowest rate is 0.000001")
    return number


def ramp(text: str) -> list[Stage]:
    """``0:50000:60s``: from one rate to another."""
    parts = text.split(":")
    if len(parts) != 3:
        raise ArgumentTypeError(f"{text!r} is no ramp; write it like 0:50000:60s: from a rate, to a rate, in a time")
    return [Stage(stage_rate(parts[0]), stage_rate(parts[1]), stage_seconds(parts[2]))]


def steps(text: str) -> list[Stage]:
    """``1000,5000,20000:30s``: each of these rates for so long."""
    rates, colon, time = text.rpartition(":")
    if not colon:
        raise ArgumentTypeError(
            f"{text!r} are no steps; write them like 1000,5000,20000:30s: rates, and a time for each"
        )
    return [Stage(rate, rate, stage_seconds(time)) for rate in map(stage_rate, rates.split(","))]


def stage_rate(text: str) -> float:
    try:
        return rate(text)
    except ArgumentTypeError:
        raise ArgumentTypeError(
            f"{text!r} is no rate; write events a second like 1000 or 0.5, or 0 for a pause"
        ) from None


def stage_seconds(text: str) -> float:
    seconds = duration_seconds(text)
    if seconds < 0.001:
        raise ArgumentTypeError(f"{text!r} is too short a time for a rate; the shortest is 1ms")
    return seconds


def positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return int(text)


def sensors(text: str) -> int:
    number = positive(text)
    if number > MOST_SENSORS:
        raise ArgumentTypeError(f"{text} are too many; there may be up to {MOST_SENSORS} sensors")
    return number


def listed(text: str) -> int:
    """How many events a request may hold so that ingest names every one that it refuses."""
    number = positive(text)
    if number > 1000:
        raise ArgumentTypeError(f"{text} are too many; the service names at most 1000 refused events of a request")
    return number


def port(text: str) -> int:
    number = positive(text)
    if number > 65535:
        raise ArgumentTypeError(f"{text} is no port; ports go up to 65535")
    return number


def url(text: str) -> str:
    try:
        Target.parse(text)
    except BadUrlError as error:
        raise ArgumentTypeError(str(error)) from error
    return text.rstrip("/")


def days(text: str) -> float:
    number = _number(text)
    if not 0.001 <= number <= 3660:
        raise ArgumentTypeError(f"{text!r} is no number of days; write one like 7 or 0.5, up to 3660")
    return number


def interval_seconds(text: str) -> float:
    seconds = duration_seconds(text)
    if seconds < 0.001:
        raise ArgumentTypeError("a sensor can send once in 1ms at most; write for example 60s")
    return seconds


def time_ms(text: str) -> int:
    """Unix ms or ISO 8601, UTC if it names no zone, in Unix ms; from 1970 to 9999."""
    try:
        number = int(text) if text.isascii() and text.isdecimal() else _iso_ms(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time; write Unix ms or a time like 2026-11-23T14:00:00Z") from None
    if not 0 <= number <= LAST_MS:
        raise ArgumentTypeError(f"{text!r} is not in the years 1970 to 9999; write a time like 2026-11-23T14:00:00Z")
    return number


def _iso_ms(text: str) -> int:
    when = datetime.fromisoformat(text)
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)


def speed(text: str) -> float:
    """How many times faster than recorded; 0 for as fast as it goes."""
    if text == "max":
        return 0.0
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1e9:
        raise ArgumentTypeError(
            f"{text!r} is no speed; write 1 for the speed of the events, 10 for ten times that, or max"
        )
    return number


def _number(text: str) -> float:
    """Not a number, which lies within no bounds, if the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
