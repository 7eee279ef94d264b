"""Counts a level of the rollup again, from what is stored, and writes what came out."""

import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from http import HTTPStatus
from typing import NamedTuple

import structlog

from ingest.errors import StoreUnavailable, WriteUnanswered
from ingest.fail_points import Point, Reached, never
from ingest.influxql import InfluxQL, where
from ingest.line_protocol import MEASUREMENT
from ingest.minutes import HOUR_MS, Mark
from ingest.outcome import Outcome, outcome_of
from ingest.point_writer import PointWriter
from ingest.rollup.levels import LEVELS, Level, RollupPoint, points_of
from ingest.rollup.pages import Names, names
from ingest.rollup.spans import Span, spans, times
from ingest.rollup.throttle import Throttle

_POINTS_A_WRITE = 5_000
# A write costs an fsync, however little it is.
_LEAST_POINTS_A_WRITE = 500
_SPANS_A_QUERY = 50
_HARMLESS = f"SELECT count(value) FROM {MEASUREMENT} WHERE time >= 0 AND time < 1ms"
_BEYOND_RETENTION = 422
# With any other answer that is none of InfluxDB's decisions, a gateway's 504 for one, it may yet carry out the write.
_NOT_BEGUN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class _Page(NamedTuple):
    """``statements`` that ask for it, and how many ``pieces`` of which ``work`` it is; 0 where that is not known."""

    statements: str
    work: str
    pieces: int


class Recount:
    """Reads ``events`` and ``rollup``, writes to the latter. Its methods raise StoreUnavailable.

    ``throttle`` says how large its pages are, and when it rests.
    """

    def __init__(
        self,
        events: InfluxQL,
        rollup: InfluxQL,
        writer: PointWriter,
        reached: Reached = never,
        throttle: Throttle | None = None,
    ) -> None:
        self._events = events
        self._rollup = rollup
        self._writer = writer
        self._reached = reached
        self._throttle = throttle or Throttle()
        self._log = structlog.get_logger("rollup")

    async def run(self, minutes: Collection[Mark]) -> None:
        """Count ``minutes`` of sensors again, and all that is counted from them. To do it twice changes nothing."""
        for level in LEVELS:
            counted: list[RollupPoint] = []
            async for page in self._pages(level, spans(level.marks(minutes), level.window_ms)):
                counted += page
                if len(counted) >= _LEAST_POINTS_A_WRITE:
                    await self.write(level, counted)
                    counted = []
            await self.write(level, counted)
            self._reached(Point.IN_RECOUNT)

    async def check(self) -> None:
        """Raises StoreUnavailable where even a query that is surely right is not answered."""
        for source in (self._events, self._rollup):
            await source.query(_HARMLESS)

    async def count(self, level: Level, spans: Sequence[Span]) -> list[RollupPoint]:
        """What ``level`` must hold for ``spans``."""
        return [point async for counted in self._pages(level, spans) for point in counted]

    async def _pages(self, level: Level, spans: Sequence[Span]) -> AsyncIterator[list[RollupPoint]]:
        """The same a page at a time. What is done with one is part of what it took, and is rested for."""
        source = self._events if level.source == MEASUREMENT else self._rollup
        async for page in self._planned(source, level, spans):
            started = time.monotonic()
            yield [
                point
                for series in await source.query(page.statements)
                for point in points_of(level, series.tags, series.values, level.tally_of)
            ]
            took_seconds = time.monotonic() - started
            if page.pieces:
                self._throttle.learn(page.work, page.pieces, took_seconds)
            await self._throttle.rest(took_seconds)

    async def _planned(self, source: InfluxQL, level: Level, spans: Sequence[Span]) -> AsyncIterator[_Page]:
        for span in spans:
            if not span.tag:
                started = time.monotonic()
                found = await names(source, level, span)
                await self._throttle.rest(time.monotonic() - started)
                for page in self._of_all(level, span, found):
                    yield page
        for page in self._of_single_ones(level, [span for span in spans if span.tag]):
            yield page

    def _of_all(self, level: Level, span: Span, found: Names) -> Iterator[_Page]:
        work, windows, position = level.measurement, (span.stop_ms - span.start_ms) // level.window_ms, 0
        if len(found.values) <= found.at_once(self._throttle.most(work, windows)):
            yield _Page(_statement(level, span), work, len(found.values) * windows)
            return
        while position < len(found.values):
            values = found.values[position : position + found.at_once(self._throttle.most(work, windows))]
            yield _Page(_statement(level, span, found.page(values)), work, len(values) * windows)
            position += len(values)
        yield _Page(_statement(level, span, found.rest), work, 0)

    def _of_single_ones(self, level: Level, spans: Sequence[Span]) -> Iterator[_Page]:
        """For single sensors the way there and back takes the time: several at once."""
        work, position = f"{level.measurement} of one", 0
        while position < len(spans):
            some = spans[position : position + min(self._throttle.most(work), _SPANS_A_QUERY)]
            yield _Page("; ".join(_statement(level, span) for span in some), work, len(some))
            position += len(some)

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
    return [*times(span), *(f"{name} = '{segment}'" for name, segment in segments)]


def window(level: Level) -> str:
    """The level's window as InfluxQL writes it."""
    return "1h" if level.window_ms == HOUR_MS else "1m"


def _statement(level: Level, span: Span, *more: str) -> str:
    return (
        f"SELECT {level.fields} FROM {level.source}{where([*conditions(span, level), *more])}"
        f" GROUP BY time({window(level)}), {', '.join(level.tags)} fill(none)"
    )
