"""Points at which a test can have the service die as by ``kill -9``, to see that a crash there costs nothing.

A variable of no setting's name switches one on; nothing else does, and the log says so.
"""

import os
import signal
from collections.abc import Callable, Mapping
from enum import Enum

import structlog

VARIABLE = "PULSO_TEST_FAIL_POINT"


class Point(Enum):
    """In the order an event gets there."""

    STARTED = "started"
    """Spool and store are open, and nothing listens yet."""
    BEFORE_COMMIT = "before-commit"
    IN_COMMIT = "in-commit"
    """All statements of the transaction have run; what makes it durable has not."""
    AFTER_COMMIT = "after-commit"
    """It is on disk; nobody knows yet."""
    BEFORE_ACK = "before-ack"
    AFTER_STORE = "after-store"
    """InfluxDB has answered; the spool still holds the rows."""
    IN_RECOUNT = "in-recount"
    """A level of the rollup is written; those that are counted from it are not."""
    RECOUNTED = "recounted"
    """The rollup is written; the minutes are still marked."""
    STOPPING = "stopping"
    """Nothing listens any more; the spool is not drained yet."""


Reached = Callable[[Point], None]
"""Called at every point, in whatever thread gets there."""


def never(_: Point) -> None:
    """No point is switched on."""


def chosen(environment: Mapping[str, str]) -> Reached:
    """What the environment asks for: ``before-ack`` dies there at once, ``before-ack:7`` the seventh time.

    Raises ValueError for what is no point.
    """
    text = environment.get(VARIABLE)
    if text is None:
        return never
    name, _, times = text.partition(":")
    if name not in {point.value for point in Point} or (times and not times.isdecimal()):
        raise ValueError(f"{VARIABLE}: {text!r} is no fail point; this variable is for tests only")
    structlog.get_logger("fail_points").warning("fail_point_on", point=name, variable=VARIABLE)
    return _DiesAt(Point(name), int(times or 1))


class _DiesAt:
    def __init__(self, point: Point, times: int) -> None:
        self._point = point
        self._left = times

    def __call__(self, point: Point) -> None:
        if point is not self._point:
            return
        self._left -= 1
        if self._left <= 0:
            structlog.get_logger("fail_points").warning("fail_point_reached", point=point.value)
            os.kill(os.getpid(), signal.SIGKILL)
            # The signal may come a moment later, and nothing more may happen in this thread.
            signal.pause()
