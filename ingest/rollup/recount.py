"""Counts a level of the rollup again, from what is stored, and writes what came out."""

from collections.abc import Collection, Iterator, Sequence
from http import HTTPStatus
from itertools import islice

import structlog

from ingest.errors import StoreUnavailable, WriteUnanswered
from ingest.event import NS_PER_MS
from ingest.fail_points import Point, Reached, never
from ingest.influxql import InfluxQL, where
from ingest.line_protocol import MEASUREMENT
from ingest.minutes import HOUR_MS, Mark
from ingest.outcome import Outcome, outcome_of
from ingest.point_writer import PointWriter
from ingest.rollup.levels import LEVELS, Level, RollupPoint, points_of
from ingest.rollup.spans import Span, spans

_POINTS_A_WRITE = 5_000
_SPANS_A_QUERY = 50
_HARMLESS = f"SELECT count(value) FROM {MEASUREMENT} WHERE time >= 0 AND time < 1ms"
_BEYOND_RETENTION = 422
# With any other answer that is none of InfluxDB's decisions, a gateway's 504 for one, it may yet carry out the write.
_NOT_BEGUN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Recount:
    """Reads ``events`` and ``rollup``, writes to the latter. Its methods raise StoreUnavailable."""

    def __init__(self, events: InfluxQL, rollup: InfluxQL, writer: PointWriter, reached: Reached = never) -> None:
        self._events = events
        self._rollup = rollup
        self._writer = writer
        self._reached = reached
        self._log = structlog.get_logger("rollup")

    async def run(self, minutes: Collection[Mark]) -> None:
        """Count ``minutes`` of sensors again, and all that is counted from them. To do it twice changes nothing."""
        for level in LEVELS:
            await self.write(level, await self.count(level, spans(level.marks(minutes), level.window_ms)))
            self._reached(Point.IN_RECOUNT)

    async def check(self) -> None:
        """Raises StoreUnavailable where even a query that is surely right is not answered."""
        for source in (self._events, self._rollup):
            await source.query(_HARMLESS)

    async def count(self, level: Level, spans: Sequence[Span]) -> list[RollupPoint]:
        """What ``level`` must hold for ``spans``."""
        source = self._events if level.source == MEASUREMENT else self._rollup
        found: list[RollupPoint] = []
        # One for all sensors is a long answer of its own; for single ones the way there and back takes the time.
        for some in [*([span] for span in spans if not span.tag), *_chunks([span for span in spans if span.tag])]:
            statements = "; ".join(_statement(level, span) for span in some)
            for series in await source.query(statements):
                found += points_of(level, series.tags, series.values, level.tally_of)
        return found

    async def write(self, level: Level, counted: Sequence[RollupPoint]) -> None:
        """Raises WriteUnanswered if InfluxDB may yet write it, when something newer may be there already."""
        for position in range(0, len(counted), _POINTS_A_WRITE):
            await self._write([level.line(point) for point in counted[position : position + _POINTS_A_WRITE]])

    async def forget(self, level: Level, point: RollupPoint) -> None:
        """Delete a point."""
        series = dict(zip(level.tags, point.tags, strict=True))
        stop_ms = point.start_ms + level.window_ms
        answer = await self._writer.delete(level.measurement, series, point.start_ms, stop_ms)
        if outcome_of(answer) is not Outcome.STORED:
            raise StoreUnavailable(f"InfluxDB does not delete ({answer.status or 'no answer'}): {answer.reason}")

    async def _write(self, lines: Sequence[str]) -> None:
        answer = await self._writer.write("".join(lines).encode())
        said = f"InfluxDB does not take the rollup ({answer.status or 'no answer'}): {answer.reason}"
        match outcome_of(answer):
            case Outcome.STORED:
                return
            case Outcome.REFUSED if answer.status == _BEYOND_RETENTION or len(lines) == 1:
                # It has stored the others; this bucket will never take these.
                self._log.warning("rollup_refused", reason=answer.reason, first=lines[0])
            case Outcome.REFUSED:
                middle = len(lines) // 2
                await self._write(lines[:middle])
                await self._write(lines[middle:])
            case Outcome.RETRY if answer.status not in _NOT_BEGUN:
                raise WriteUnanswered(said, answer.retry_after_seconds)
            case _:
                raise StoreUnavailable(said, answer.retry_after_seconds)


def conditions(span: Span, level: Level) -> list[str]:
    """``span`` in InfluxQL. Its tag was made of segments, which hold nothing to escape."""
    segments = zip(level.tags, span.tag.split("."), strict=False) if span.tag else ()
    return [
        f"time >= {span.start_ms * NS_PER_MS}",
        f"time < {span.stop_ms * NS_PER_MS}",
        *(f"{name} = '{segment}'" for name, segment in segments),
    ]


def window(level: Level) -> str:
    """The level's window as InfluxQL writes it."""
    return "1h" if level.window_ms == HOUR_MS else "1m"


def _statement(level: Level, span: Span) -> str:
    return (
        f"SELECT {level.fields} FROM {level.source}{where(conditions(span, level))}"
        f" GROUP BY time({window(level)}), {', '.join(level.tags)} fill(none)"
    )


def _chunks(spans: Sequence[Span]) -> Iterator[list[Span]]:
    rest = iter(spans)
    while some := list(islice(rest, _SPANS_A_QUERY)):
        yield some
