"""Runs, how they compare, and what to know before believing it: all that a report says, however it is shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import msgspec

from loadgen.plan import Plan
from loadgen.report.comparison import Comparison, compare
from loadgen.report.notes import notes
from loadgen.report.run import Figures, Run


class RunJson(msgspec.Struct, frozen=True, kw_only=True):
    """One run as scripts read it. Latencies are in ms, as in ``Figures``."""

    name: str
    file: str
    finished: bool
    interrupted: bool
    plan: Plan
    figures: Figures
    rejections: dict[str, int]
    errors: dict[str, int]


class ReportJson(msgspec.Struct, frozen=True):
    runs: list[RunJson]
    comparisons: list[Comparison]
    notes: list[str]


@dataclass(frozen=True)
class Report:
    """``comparisons`` are of each run after the first with the first."""

    runs: Sequence[Run]
    comparisons: Sequence[Comparison]
    notes: Sequence[str]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Self:
        return cls(runs, compare(runs), notes(runs))

    @property
    def reasons(self) -> Iterator[str]:
        """Why events were rejected or failed, by run, most frequent first."""
        for run in self.runs:
            if run.summary:
                for what, counts in (("rejected", run.summary.rejections), ("failed", run.summary.errors)):
                    yield from (f"{run.name}: {events:,} {what}: {reason}" for reason, events in counts.items())

    def json(self) -> str:
        whole = ReportJson([_run_json(run) for run in self.runs], list(self.comparisons), list(self.notes))
        return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def _run_json(run: Run) -> RunJson:
    return RunJson(
        name=run.name,
        file=str(run.path),
        finished=run.summary is not None,
        interrupted=run.summary is not None and run.summary.interrupted,
        plan=run.plan,
        figures=run.figures,
        rejections=run.summary.rejections if run.summary else {},
        errors=run.summary.errors if run.summary else {},
    )
