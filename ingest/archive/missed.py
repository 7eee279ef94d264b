"""What the archive had no room for: how much, why, and how to get it from the store."""

from datetime import UTC, datetime

import msgspec
import structlog
from prometheus_client import Counter

from ingest.events import Events


class Span(msgspec.Struct, frozen=True):
    """Events by number, when they arrived, and their timestamps: the first and the last."""

    events: int
    arrived_ms: tuple[int, int]
    timestamps_ms: tuple[int, int]

    @classmethod
    def of(cls, arrived_ms: int, events: Events) -> "Span":
        return cls(len(events), (arrived_ms, arrived_ms), events.span_ms())

    def and_also(self, other: "Span") -> "Span":
        return Span(
            self.events + other.events,
            _around(self.arrived_ms, other.arrived_ms),
            _around(self.timestamps_ms, other.timestamps_ms),
        )


class Missed:
    """Counts what is missed, and writes two lines of the log an episode: that it begins, and what it was."""

    def __init__(self, name: str, counter: Counter) -> None:
        self._counter = counter
        self._log = structlog.get_logger("archive").bind(archive=name)
        self._span: Span | None = None

    def add(self, span: Span, reason: str) -> None:
        if self._span is None:
            self._log.error("archive_misses_events", reason=reason)
        self._counter.labels(reason).inc(span.events)
        self._span = self._span.and_also(span) if self._span else span

    def end(self) -> None:
        """The episode is over, if there was one. What was missed is in the store; the line says how to ask for it."""
        if self._span is None:
            return
        arrived = [datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in self._span.arrived_ms]
        first, last = self._span.timestamps_ms
        where = f"/get_data?start={first}&stop={last + 1}"
        self._log.error("archive_missed_events", events=self._span.events, arrived=arrived, they_are_in=where)
        self._span = None


def _around(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return min(one[0], other[0]), max(one[1], other[1])
