"""How a run looks while it goes on: live on a terminal, a line every 10 s elsewhere."""

import math
from types import TracebackType
from typing import Protocol, Self

import msgspec
from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from loadgen.pace import NS_PER_SECOND
from loadgen.pacer import Pacer
from loadgen.plan import Plan
from loadgen.results import Second

SECONDS_A_LINE = 10


class Reporter(Protocol):
    """Is told every second of a run, between its entry and its exit."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def report(self, second: Second, /) -> None: ...


def reporter(plan: Plan, console: Console, *, quiet: bool = False) -> Reporter:
    if quiet:
        return Silence()
    return Display(plan, console) if console.is_terminal else Lines(plan, console)


class Silence:
    """Says nothing; the others only add to it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def report(self, _second: Second, /) -> None:
        return None


class Lines(Silence):
    """One plain line every 10 seconds, with the totals so far."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._end = End(plan)
        self._console = console
        self._totals = Totals()

    def report(self, second: Second, /) -> None:
        self._totals.add(second)
        seconds = second.second + 1
        if seconds % SECONDS_A_LINE == 0:
            text = f"{_clock(seconds)}: {self._totals.text(second)}, {self._totals.acked:,} acked"
            self._console.print(
                f"{text}, {_left(self._end.left(seconds, self._totals))}", highlight=False, soft_wrap=True
            )


class Display(Silence):
    """Two live lines: how far; and how fast, how quick, what went wrong."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._end = End(plan)
        self._totals = Totals()
        self._bar = ProgressBar(total=1.0, width=30)
        # Drawn by report alone: a thread that redraws would cost the sender time.
        self._live = Live(Text("starting"), console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def report(self, second: Second, /) -> None:
        self._totals.add(second)
        seconds = second.second + 1
        left = self._end.left(seconds, self._totals)
        how_far = Text(f"{_clock(seconds)}, {_left(left)}, {self._totals.acked:,} acked")
        how_fast = Text(self._totals.text(second), overflow="ellipsis", no_wrap=True)
        first = how_far if left is None else self._with_bar(how_far, seconds, left)
        self._live.update(Group(first, how_fast), refresh=True)

    def _with_bar(self, how_far: Text, seconds: int, left: float) -> Columns:
        self._bar.update(completed=seconds / (seconds + left))
        return Columns([self._bar, how_far])


class End:
    """When a run will be over, as far as its plan or its speed tells. Times are in seconds since its start."""

    def __init__(self, plan: Plan) -> None:
        whole = Pacer.of(msgspec.structs.replace(plan, processes=1))
        self._events = whole.events if plan.closed_loop else None
        self._seconds = plan.duration_seconds if plan.closed_loop else whole.end_ns / NS_PER_SECOND or None

    def left(self, seconds: int, totals: "Totals") -> float | None:
        """How many seconds of sending are left; None if nobody knows."""
        lefts = []
        if self._seconds is not None:
            lefts.append(self._seconds - seconds)
        if self._events is not None and totals.done:
            lefts.append(seconds * (self._events - totals.done) / totals.done)
        return max(min(lefts), 0.0) if lefts else None


class Totals:
    """What a live display adds up. ``errors`` are events that were not acked, for whatever reason."""

    def __init__(self) -> None:
        self.acked = 0
        self.errors = 0

    @property
    def done(self) -> int:
        return self.acked + self.errors

    def add(self, second: Second) -> None:
        self.acked += second.acked
        self.errors += second.rejected + second.failed + second.unsent

    def text(self, second: Second) -> str:
        ms = second.latency_ms
        return (
            f"{second.acked:,}/s, p50 {ms.p50:.1f} ms, p99 {ms.p99:.1f} ms, "
            f"{second.in_flight:,} in flight, {self.errors:,} errors"
        )


def _left(seconds: float | None) -> str:
    if seconds is None:
        return "until Ctrl-C"
    return f"{_clock(math.ceil(seconds))} left" if seconds else "waiting for answers"


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
