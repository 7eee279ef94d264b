"""Times as people write them."""

from datetime import UTC, datetime

_FEW_MS = 10_000


def parse_time_ms(text: str) -> int:
    """Unix milliseconds of a number of them, or of a time in ISO 8601 (UTC if it names no zone). Raises ValueError.

    So few digits as a year has, but for 0, are refused: nobody means the first ten seconds of 1970.
    """
    if text.isascii() and text.lstrip("-").isdigit():
        number = int(text)
        if number and abs(number) < _FEW_MS:
            raise ValueError(f"{text} is no Unix time in milliseconds, nor a date")
        return number
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
