"""A run as the report sees it: finished or not, with what is known of it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from loadgen.latency import BadHistogramError, Latencies
from loadgen.plan import Plan
from loadgen.results import Record, Second, Summary, UnreadableError, read


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of a run; None is what an unfinished run, or one without answers, does not tell.

    Counts are of events, ``rate`` is acked events a second, latencies are in ms.
    """

    sent: int
    acked: int
    rejected: int
    failed: int
    unsent: int
    late: int | None
    seconds: float
    rate: float
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """``latencies`` is None for unfinished runs and for files from before histograms were kept."""

    name: str
    path: Path
    plan: Plan
    timeline: list[Second]
    summary: Summary | None
    figures: Figures
    latencies: Latencies | None

    @property
    def whole_seconds(self) -> list[Second]:
        """The seconds that lasted one: a run hardly ever ends on the tick."""
        return self.timeline[: int(self.figures.seconds)]


def load(paths: Sequence[Path]) -> list[Run]:
    """Read the files of one report. Raises UnreadableError."""
    return [_run(name, path, read(path)) for name, path in zip(_names(paths), paths, strict=True)]


def _run(name: str, path: Path, record: Record) -> Run:
    return Run(
        name=name,
        path=path,
        plan=record.plan,
        timeline=record.seconds,
        summary=record.summary,
        figures=_finished(record.summary) if record.summary else _unfinished(record.seconds),
        latencies=_latencies(path, record.summary),
    )


def _finished(summary: Summary) -> Figures:
    answered = summary.acked + summary.rejected > 0
    return Figures(
        sent=summary.sent,
        acked=summary.acked,
        rejected=summary.rejected,
        failed=summary.failed,
        unsent=summary.unsent,
        late=summary.late,
        seconds=summary.seconds,
        rate=summary.events_per_second,
        **(msgspec.structs.asdict(summary.latency_ms) if answered else {}),
    )


def _unfinished(seconds: list[Second]) -> Figures:
    acked = sum(second.acked for second in seconds)
    return Figures(
        sent=sum(second.sent for second in seconds),
        acked=acked,
        rejected=sum(second.rejected for second in seconds),
        failed=sum(second.failed for second in seconds),
        unsent=sum(second.unsent for second in seconds),
        late=None,
        seconds=float(len(seconds)),
        rate=acked / len(seconds) if seconds else 0.0,
        max=max((second.latency_ms.max for second in seconds if second.latency_ms.max), default=None),
    )


def _latencies(path: Path, summary: Summary | None) -> Latencies | None:
    if summary is None or not summary.histogram:
        return None
    try:
        return Latencies.decode(summary.histogram)
    except BadHistogramError as error:
        raise UnreadableError(f"{path} is damaged: its summary has {error}") from error


def _names(paths: Sequence[Path]) -> list[str]:
    """The files' names where they differ, their paths where not."""
    stems = [path.stem for path in paths]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in paths]
    return [name if name not in names[:place] else f"{name} #{place + 1}" for place, name in enumerate(names)]
