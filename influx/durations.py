"""Retentions as people write them: `30d`, `12h`, `0`."""

import re

UNIT_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def parse(text: str) -> int:
    """Seconds of `30d`, `12h`, `90m`, `45s` or a bare number of seconds.

    Raises ValueError for anything else.
    """
    match = re.fullmatch(r"([0-9]{1,10})([dhms]?)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration like 30d, 12h or 0")
    return int(match[1]) * UNIT_SECONDS[match[2] or "s"]


def text(seconds: int) -> str:
    """The shortest exact form: `30d`, `36h`, `0s`."""
    unit = next((unit for unit, size in UNIT_SECONDS.items() if seconds and seconds % size == 0), "s")
    return f"{seconds // UNIT_SECONDS[unit]}{unit}"
