"""The results file: JSON lines that say what was sent and what became of it.

The first line is the plan, then comes a line a second, the last is the summary. Each is written at once, so after
a crash everything but the last second can still be read.
"""

from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from loadgen.latency import Percentiles
from loadgen.plan import Plan
from loadgen.sensors import EVENTS_VERSION
from loadgen.spans import Span, SpanSet


class Started(msgspec.Struct, frozen=True, tag="plan", tag_field="line"):
    """``events_version`` says how the events of a plan are made; files from before it was kept have version 1."""

    plan: Plan
    events_version: int = 1


class Second(msgspec.Struct, frozen=True, kw_only=True, tag="second", tag_field="line"):
    """One second of the run; counts are of events in this second. ``next_request`` was not sent yet at its end."""

    second: int
    sent: int
    acked: int
    rejected: int
    failed: int
    unsent: int
    in_flight: int
    next_request: int
    latency_ms: Percentiles
    answered_requests: list[Span]
    rejected_events: list[Span]


class Summary(msgspec.Struct, frozen=True, kw_only=True, tag="summary", tag_field="line"):
    """The whole run. Counts are of events, and ``sent = acked + rejected + failed``.

    ``late`` events left more than 10 ms after plan; ``unsent`` ones were given up after waiting too long for a
    free connection. ``errors`` and ``rejections`` count events by reason. ``histogram`` is the latencies of all
    answered requests, encoded; empty in files of the time before it was kept.
    """

    sent: int
    acked: int
    rejected: int
    failed: int
    unsent: int
    late: int
    requests: int
    seconds: float
    latency_ms: Percentiles
    errors: dict[str, int]
    rejections: dict[str, int]
    interrupted: bool
    histogram: str = ""

    @property
    def events_per_second(self) -> float:
        return self.acked / self.seconds if self.seconds else 0.0

    @property
    def all_acked(self) -> bool:
        return self.acked == self.sent and not self.unsent


Line = Started | Second | Summary


class ResultsWriter:
    """Writes lines as they come; without a path it writes nothing. Raises OSError, with the file's name."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file = path.open("wb", buffering=0) if path else None

    def write(self, line: Line) -> None:
        if self._file:
            try:
                self._write(self._file, msgspec.json.encode(line) + b"\n")
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(self._path)) from error

    @staticmethod
    def _write(file: FileIO, content: bytes) -> None:
        # What finds no room is cut off without an error, which only the next write would tell.
        while content:
            content = content[file.write(content) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()


class UnreadableError(Exception):
    """The results file is no such file; the text says why."""


class Record(msgspec.Struct, frozen=True):
    """A results file as read back. ``answered`` are requests with a receipt; ``rejected`` are events."""

    plan: Plan
    requests: int
    answered: SpanSet
    rejected: SpanSet
    finished: bool
    seconds: list[Second] = []
    summary: Summary | None = None
    events_version: int = EVENTS_VERSION


def read(path: Path) -> Record:
    """Read a results file; a torn last line, left by a crash, is passed over.

    Raises UnreadableError, also if lines are missing: the events they told of would not be checked.
    """
    try:
        lines = _lines(path.read_bytes())
    except OSError as error:
        raise UnreadableError(f"{path} can't be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise UnreadableError(f"{path} is no results file of loadgen run: {error}") from error
    if not lines or not isinstance(lines[0], Started):
        raise UnreadableError(f"{path} is no results file of loadgen run: its first line is not a plan")
    record = _record(lines[0], lines)
    if loss := _loss(record):
        raise UnreadableError(f"{path} is damaged: {loss}. Without its lost lines it can't tell what is to be stored")
    return record


def _loss(record: Record) -> str | None:
    """What shows that lines are missing; the end of a run without a summary may be, for a crash cuts it off."""
    for expected, second in enumerate(record.seconds):
        if second.second != expected:
            return f"where second {expected} should be there is second {second.second}"
    for name in ("acked", "rejected") if record.summary else ():
        told, total = sum(getattr(second, name) for second in record.seconds), getattr(record.summary, name)
        if told != total:
            return f"its summary says {total:,} {name}, its seconds add up to {told:,}"
    return None


def _lines(content: bytes) -> list[Line]:
    decoder = msgspec.json.Decoder(Line)
    # What follows the last newline is empty, or torn by a crash.
    return [decoder.decode(line) for line in content.split(b"\n")[:-1]]


def _record(started: Started, lines: list[Line]) -> Record:
    seconds = [line for line in lines if isinstance(line, Second)]
    answered = SpanSet(span for second in seconds for span in second.answered_requests)
    sent = seconds[-1].next_request if seconds else 0
    summary = lines[-1] if isinstance(lines[-1], Summary) else None
    return Record(
        plan=started.plan,
        requests=max(answered.end, sent),
        answered=answered,
        rejected=SpanSet(span for second in seconds for span in second.rejected_events),
        finished=summary is not None,
        seconds=seconds,
        summary=summary,
        events_version=started.events_version,
    )
