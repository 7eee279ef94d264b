"""How a run looks while it goes on: a live bar on a terminal, a line every 10 s elsewhere."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

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
    return Bar(plan, console) if console.is_terminal else Lines(console)


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

    def __init__(self, console: Console) -> None:
        self._console = console
        self._totals = Totals()

    def report(self, second: Second, /) -> None:
        self._totals.add(second)
        if (second.second + 1) % SECONDS_A_LINE == 0:
            text = f"{second.second + 1} s: {self._totals.text(second)}"
            self._console.print(text, highlight=False, soft_wrap=True)


class Bar(Silence):
    """A live line: how far, how fast, what went wrong."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._totals = Totals()
        columns = (
            BarColumn(bar_width=10),
            TimeElapsedColumn(Column(no_wrap=True, min_width=7)),
            TextColumn("{task.description}"),
        )
        # Drawn by report alone: a thread that redraws would cost the sender time.
        self._progress = Progress(*columns, console=console, auto_refresh=False, transient=True)
        self._task = self._progress.add_task("starting", total=Pacer.of(plan).events)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def report(self, second: Second, /) -> None:
        self._totals.add(second)
        done = self._totals.acked + self._totals.not_acked
        self._progress.update(self._task, completed=done, description=self._totals.text(second), refresh=True)


class Totals:
    """What a live display adds up."""

    def __init__(self) -> None:
        self.acked = 0
        self.not_acked = 0

    def add(self, second: Second) -> None:
        self.acked += second.acked
        self.not_acked += second.rejected + second.failed + second.unsent

    def text(self, second: Second) -> str:
        return (
            f"{second.acked:,}/s, {self.acked:,} acked, {second.in_flight:,} in flight, "
            f"{self.not_acked:,} not acked, p99 {second.latency_ms.p99:.1f} ms"
        )
