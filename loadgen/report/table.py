"""The report on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from loadgen.report.comparison import EXPLANATION, PARTS, Comparison, Difference, Judgement
from loadgen.report.metrics import METRICS, Metric
from loadgen.report.report import Report
from loadgen.report.run import Run

ANY_WIDTH: Final = 10_000
STYLES: Final = {Judgement.BETTER: "green", Judgement.WORSE: "red"}


def show(console: Console, report: Report) -> None:
    """Print as many runs beside the first as fit, the others below."""
    first, *others = report.runs
    later = list(zip(others, report.comparisons, strict=True))
    while True:
        fitting = _fitting(console, first, later)
        console.print(_table(first, later[:fitting]))
        later = later[fitting:]
        if not later:
            break
    console.print(Group(*_sentences(report)))


def change_text(metric: Metric, difference: Difference) -> str:
    """How a value differs from the first run's: ``+500``, ``-3.1% better``, ``×12 in 3/8``, ``same``."""
    if difference.difference is None or metric.unit == "s":
        return ""
    if not difference.difference or difference.judgement is Judgement.SAME:
        return "same"
    if metric.unit == "events" or difference.ratio is None:
        return f"{difference.difference:+,.0f}"
    change = f"×{difference.ratio:.3g}" if difference.ratio >= 3 else f"{difference.ratio - 1:+.1%}"
    judged = difference.judgement
    return f"{change} {f'in {difference.parts}/{PARTS}' if judged is Judgement.UNCLEAR else judged}".strip()


def _fitting(console: Console, first: Run, later: Sequence[tuple[Run, Comparison]]) -> int:
    for fitting in range(len(later), 1, -1):
        table = _table(first, later[:fitting])
        if Measurement.get(console, console.options.update(max_width=ANY_WIDTH), table).maximum <= console.width:
            return fitting
    return 1


def _table(first: Run, later: Sequence[tuple[Run, Comparison]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column(Text(first.name), justify="right", overflow="fold")
    for run, _ in later:
        table.add_column(Text(run.name), justify="right", overflow="fold")
        table.add_column("", no_wrap=True)
    for place, metric in enumerate(METRICS):
        cells: list[RenderableType] = [metric.text(metric.of(first.figures))]
        for run, comparison in later:
            cells += [metric.text(metric.of(run.figures)), _change(metric, comparison.differences[place])]
        unit = "" if metric.unit == "events" else f" {metric.unit}"
        table.add_row(f"{metric.name}{unit}", *cells)
    return table


def _change(metric: Metric, difference: Difference) -> Text:
    return Text(change_text(metric, difference), style=STYLES.get(difference.judgement, "dim"))


def _sentences(report: Report) -> Iterator[Text]:
    yield from map(Text, report.reasons)
    yield from (Text(f"note: {note}") for note in report.notes)
    if report.comparisons:
        yield Text(f"Compared with {report.runs[0].name}. {EXPLANATION}", style="dim")
