"""What a reader has to know before believing a report's numbers."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from loadgen.plan import Plan, Stage
from loadgen.report.run import Run

WORTH_SAYING_LATE: Final = 0.01
NOT_OF_INTEREST: Final = ("start_ms", "seed", "stages", "share")


def notes(runs: Sequence[Run]) -> list[str]:
    """One sentence or two each; they hold text from the files, so escape them where that matters."""
    return [f"{run.name}: {note}" for run in runs for note in (*_of_run(run), *_of_plan(run, runs[0]))]


def _of_run(run: Run) -> Iterator[str]:
    if run.summary is None:
        yield (
            f"not finished, it has no summary: the counts are of the {len(run.timeline)} whole seconds in its file, "
            "percentiles of the whole are not known"
        )
    elif run.summary.interrupted:
        yield f"interrupted after {run.summary.seconds:.1f} s"
    if run.summary and not run.latencies:
        yield "written before histograms were kept: its percentile curve has four points"
    if run.plan.closed_loop:
        yield "a closed loop (rate 0): latency is from sending, so waits that a slow server causes are not in it"
    late, sent = run.figures.late, run.figures.sent
    if late and late > sent * WORTH_SAYING_LATE:
        yield (
            f"{late / sent:.0%} of its events left more than 10 ms after plan, for want of a free connection or core; "
            "the wait is in their latency"
        )
    if run.figures.unsent:
        yield f"{run.figures.unsent:,} events were given up unsent; they are in no percentile"


def _of_plan(run: Run, first: Run) -> Iterator[str]:
    ours, theirs = _told(run.plan), _told(first.plan)
    listed = ", ".join(f"{name} {ours[name]} instead of {theirs[name]}" for name in ours if ours[name] != theirs[name])
    if listed:
        yield f"its plan differs from {first.name}'s: {listed}"


def _told(plan: Plan) -> dict[str, str]:
    fields = msgspec.structs.asdict(plan) | {"rate": rate_text(plan)}
    return {name: _text(value) for name, value in fields.items() if name not in NOT_OF_INTEREST}


def rate_text(plan: Plan) -> str:
    """The planned rate, or how it goes from one to another."""
    if plan.stages:
        return ", ".join(map(_stage_text, plan.stages))
    return "as fast as it goes" if plan.closed_loop else f"{plan.rate:g} events/s"


def _stage_text(stage: Stage) -> str:
    steady = stage.start_rate == stage.stop_rate
    rates = f"{stage.stop_rate:g}" if steady else f"{stage.start_rate:g} to {stage.stop_rate:g}"
    return f"{rates} events/s for {stage.seconds:g} s"


def _text(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
