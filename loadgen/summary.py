"""The summary as people read it."""

from collections.abc import Iterator, Sequence

from loadgen.conditions import Outcome
from loadgen.results import Summary


def text(summary: Summary, outcomes: Sequence[Outcome] = ()) -> str:
    return "\n".join([*_lines(summary), *map(_outcome, outcomes)])


def _lines(summary: Summary) -> Iterator[str]:
    seconds = f"{summary.seconds:.1f} s{', interrupted' if summary.interrupted else ''}"
    yield _row("sent", f"{summary.sent:,} events in {summary.requests:,} requests, {seconds}")
    yield _row("acked", f"{summary.acked:,}{' (all)' if summary.all_acked else ''}")
    yield _row("rejected", f"{summary.rejected:,}")
    yield from _reasons(summary.rejections)
    yield _row("failed", f"{summary.failed:,}")
    yield from _reasons(summary.errors)
    if summary.unsent:
        yield _row("unsent", f"{summary.unsent:,} waited too long for a free connection")
    yield _row("late", f"{summary.late:,} sent more than 10 ms after plan")
    yield _row("rate", f"{summary.events_per_second:,.1f} events/s acked")
    yield _row("latency", _latency(summary))


def _latency(summary: Summary) -> str:
    if summary.acked + summary.rejected == 0:
        return "no answers to measure"
    ms = summary.latency_ms
    return f"p50 {ms.p50:.1f}  p90 {ms.p90:.1f}  p99 {ms.p99:.1f}  p99.9 {ms.p999:.1f}  max {ms.max:.1f} ms"


def _outcome(outcome: Outcome) -> str:
    verdict = "FAILED" if outcome.holds else "ok"
    return _row("fail-if", f"{outcome.condition}: {verdict}, {outcome.metric} was {outcome.measured}")


def _reasons(reasons: dict[str, int]) -> Iterator[str]:
    for reason, events in reasons.items():
        yield _row("", f"{events:,} × {reason}")


def _row(name: str, value: str) -> str:
    return f"{name:<10}{value}"
