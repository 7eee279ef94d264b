"""How a job with an end looks while it goes on: a live bar on a terminal, a line every 10 s elsewhere."""

from types import TracebackType
from typing import Protocol, Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

SECONDS_A_LINE = 10


class Standing(msgspec.Struct, frozen=True):
    """How far a job is: ``done`` of ``total`` in whatever it goes by; a total of None is not known."""

    seconds: int
    done: float
    total: float | None
    text: str


class Reporter(Protocol):
    """Is told time and again, between its entry and its exit; ``tell`` says a sentence at any time."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def report(self, standing: Standing, /) -> None: ...
    def tell(self, sentence: str, /) -> None: ...


def reporter(console: Console, *, quiet: bool = False) -> Reporter:
    if quiet:
        return Sentences(console)
    return Bar(console) if console.is_terminal else Lines(console)


class Sentences:
    """Only says what is told; the others add to it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def report(self, _standing: Standing, /) -> None:
        return None

    def tell(self, sentence: str, /) -> None:
        self._console.print(sentence, highlight=False, markup=False, soft_wrap=True)


class Lines(Sentences):
    """One plain line every 10 seconds."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._next_seconds = SECONDS_A_LINE

    def report(self, standing: Standing, /) -> None:
        if standing.seconds >= self._next_seconds:
            self._next_seconds = standing.seconds - standing.seconds % SECONDS_A_LINE + SECONDS_A_LINE
            share = f"{100 * standing.done / standing.total:.0f} %, " if standing.total else ""
            self.tell(f"{standing.seconds} s: {share}{standing.text}")


class Bar(Sentences):
    """A live line: how far, how fast, and how long still."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        columns = (
            BarColumn(bar_width=10),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(Column(no_wrap=True, min_width=7)),
            TextColumn("left"),
            TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
        )
        self._progress = Progress(*columns, console=console, auto_refresh=False, transient=True)
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def report(self, standing: Standing, /) -> None:
        self._progress.update(
            self._task, completed=standing.done, total=standing.total, description=standing.text, refresh=True
        )
