"""Times as people write them."""

from datetime import UTC, datetime


def parse_time_ms(text: str) -> int:
    """Unix milliseconds of a number of them, or of a time in ISO 8601 (UTC if it names no zone). Raises ValueError."""
    if text.isascii() and text.lstrip("-").isdigit():
        return int(text)
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
