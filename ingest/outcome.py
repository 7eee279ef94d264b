"""What to do after a write to InfluxDB: the one table."""

from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus

import msgspec

MAX_RETRY_AFTER_SECONDS = 300.0


class Outcome(Enum):
    """What an answer means for the points that were sent."""

    STORED = "stored"
    RETRY = "retry"
    """It will pass: send again soon, for ever."""
    BLOCKED = "blocked"
    """Somebody has to mend something: send again slowly, and say so."""
    REFUSED = "refused"
    """Some of the points are bad: find them."""


class Answer(msgspec.Struct, frozen=True):
    """InfluxDB's answer to a write; ``status`` None means that none came.

    ``dropped`` is how many of the points it left out, None where it does not say so.
    """

    status: int | None
    reason: str = ""
    retry_after_seconds: float = 0.0
    dropped: int | None = None


_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def outcome_of(answer: Answer) -> Outcome:
    """2xx stored; no answer, 408, 429 and 5xx retry; 400, 413 and 422 refused; everything else is blocked."""
    status = answer.status
    if status is None or status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome.RETRY
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome.STORED
    return Outcome.REFUSED if status in _REFUSED else Outcome.BLOCKED


def retry_after_seconds(header: str | None, now_seconds: float, date: str | None = None) -> float:
    """A ``Retry-After`` header, seconds or a date, as seconds from now; 0.0 without a usable one.

    ``date`` is the answer's own: where it is there, it does not matter that this clock and the server's differ.
    """
    if not header:
        return 0.0
    try:
        if header.strip().isdigit():
            seconds = float(header)
        else:
            answered_seconds = parsedate_to_datetime(date).timestamp() if date else now_seconds
            seconds = parsedate_to_datetime(header).timestamp() - answered_seconds
    except (ValueError, OverflowError):
        # The date of a year that is none.
        return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)
