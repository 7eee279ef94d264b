"""What may stand on the command line: each argument's text to its value, or one sentence on what would work."""

import math
import re
from argparse import ArgumentTypeError
from typing import Final

from loadgen.target import BadUrlError, Target

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
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
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1e9:
        raise ArgumentTypeError(f"{text!r} is no rate; write events a second like 1000 or 0.5, or 0 for full speed")
    if 0 < number < 1e-6:
        raise ArgumentTypeError(f"{text!r} is too slow; the slowest rate is 0.000001")
    return number


def positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return int(text)


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
