"""Counts a level of the rollup again, from what is stored, and writes what came out."""

from collections.abc import Collection, Iterator, Sequence

import structlog

from ingest.errors import StoreUnavailable
from ingest.event import NS_PER_MS
from ingest.influxql import InfluxQL, Series, where
from ingest.line_protocol import MEASUREMENT
from ingest.minutes import HOUR_MS, Mark
from ingest.outcome import Outcome, outcome_of
from ingest.point_writer import PointWriter
from ingest.rollup.levels import LEVELS, Level, RollupPoint
from ingest.rollup.spans import Span, spans

_POINTS_A_WRITE = 5_000


class Recount:
    """Reads ``events`` and ``rollup``, writes to the latter. Its methods raise StoreUnavailable."""

    def __init__(self, events: InfluxQL, rollup: InfluxQL, writer: PointWriter) -> None:
        self._events = events
        self._rollup = rollup
        self._writer = writer
        self._log = structlog.get_logger("rollup")

    async def run(self, minutes: Collection[Mark]) -> None:
        """Count ``minutes`` of sensors again, and all that is counted from them. To do it twice changes nothing."""
        for level in LEVELS:
            for span in spans(level.marks(minutes), level.window_ms):
                await self.write(level, await self.count(level, span))

    async def count(self, level: Level, span: Span) -> list[RollupPoint]:
        """What ``level`` must hold for ``span``."""
        window = "1h" if level.window_ms == HOUR_MS else "1m"
        text = (
            f"SELECT {level.fields} FROM {level.source}{where(conditions(span, level))}"
            f" GROUP BY time({window}), {', '.join(level.tags)} fill(none)"
        )
        source = self._events if level.source == MEASUREMENT else self._rollup
        return [point for series in await source.query(text) for point in _points(level, series)]

    async def write(self, level: Level, points: Sequence[RollupPoint]) -> None:
        for position in range(0, len(points), _POINTS_A_WRITE):
            lines = "".join(map(level.line, points[position : position + _POINTS_A_WRITE]))
            answer = await self._writer.write(lines.encode())
            outcome = outcome_of(answer)
            if outcome is Outcome.REFUSED:
                # It has stored the others; for these the bucket's retention is too short, now and for ever.
                self._log.warning("rollup_refused", level=level.measurement, reason=answer.reason)
            elif outcome is not Outcome.STORED:
                raise StoreUnavailable(
                    f"InfluxDB does not take the rollup ({answer.status or 'no answer'}): {answer.reason}"
                )

    async def forget(self, level: Level, span: Span, tags: Sequence[str]) -> None:
        """Delete what the series with these ``tags`` has in ``span``."""
        series = dict(zip(level.tags, tags, strict=True))
        answer = await self._writer.delete(level.measurement, series, span.start_ms, span.stop_ms)
        if outcome_of(answer) is not Outcome.STORED:
            raise StoreUnavailable(f"InfluxDB does not delete ({answer.status or 'no answer'}): {answer.reason}")


def conditions(span: Span, level: Level) -> list[str]:
    """``span`` in InfluxQL. A tag's segments have been checked: there is nothing to escape."""
    segments = zip(level.tags, span.tag.split("."), strict=False) if span.tag else ()
    return [
        f"time >= {span.start_ms * NS_PER_MS}",
        f"time < {span.stop_ms * NS_PER_MS}",
        *(f"{name} = '{segment}'" for name, segment in segments),
    ]


def _points(level: Level, series: Series) -> Iterator[RollupPoint]:
    tags = tuple(series.tags[name] for name in level.tags)
    for time_ns, *columns in series.values:
        yield RollupPoint(time_ns // NS_PER_MS, tags, level.tally_of(columns))
