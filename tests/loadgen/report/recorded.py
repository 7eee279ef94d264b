"""Results files as runs write them, with latencies of the test's choice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loadgen.plan import Plan
from loadgen.report.run import Run, load
from loadgen.results import ResultsWriter, Started
from loadgen.tally import Tally
from loadgen.verdict import ALL_ACKED


def record(
    path: Path,
    seconds: Sequence[Sequence[float]],
    *,
    failed: dict[int, str] | None = None,
    unsent: int = 0,
    finished: bool = True,
    **plan: Any,
) -> Path:
    """Latencies in ms by the second, each of an acked event; ``failed`` has one more in that second, with a reason."""
    tally, request = Tally(), 0
    settings: dict[str, Any] = {"url": "http://127.0.0.1:5000", "start_ms": 1, "rate": 5.0} | plan
    with ResultsWriter(path) as writer:
        writer.write(Started(Plan(**settings)))
        for number, latencies_ms in enumerate(seconds):
            for ms in latencies_ms:
                tally.send(1, 0)
                tally.answer(request, request, 1, ALL_ACKED, int(ms * 1e6))
                request += 1
            if failed and number in failed:
                tally.send(1, 20_000_000)
                tally.fail(1, failed[number])
            writer.write(tally.close_second(request))
        tally.give_up(unsent)
        if finished:
            writer.write(tally.summary(float(len(seconds)), interrupted=False))
    return path


def recorded(path: Path, seconds: Sequence[Sequence[float]], **more: Any) -> Run:
    return load([record(path, seconds, **more)])[0]
