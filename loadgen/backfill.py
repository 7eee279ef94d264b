"""A backfill: the events of past days, made up from a plan and delivered oldest first."""

import time
from collections.abc import Iterator
from itertools import islice

from loadgen.delivery.batch import Batch
from loadgen.encode import encode_ndjson
from loadgen.pace import NS_PER_SECOND
from loadgen.pacer import Pacer
from loadgen.plan import Plan
from loadgen.results import ResultsWriter, Started, Summary
from loadgen.sensors import EVENTS_VERSION, Event, events
from loadgen.standing import Standing
from loadgen.tally import Tally
from loadgen.verdict import Verdict

SECONDS_PER_DAY = 86_400


class Backfill:
    """The batches of a plan, and what became of them, kept in a results file as a run's are."""

    def __init__(self, plan: Plan, results: ResultsWriter) -> None:
        self._plan = plan
        self._results = results
        self._tally = Tally()
        self._batches = batches(plan, events(plan))
        self._next_request = 0
        self._started_ns = time.monotonic_ns()
        self.total = Pacer.of(plan).events or 0
        results.write(Started(plan, EVENTS_VERSION))

    async def take(self) -> Batch | None:
        batch = next(self._batches, None)
        self._next_request += batch is not None
        return batch

    def sent(self, batch: Batch) -> None:
        self._tally.send(len(batch.lines), 0)

    def answered(self, batch: Batch, verdict: Verdict, latency_ns: int) -> None:
        request = batch.first // self._plan.batch
        self._tally.answer(request, batch.first, len(batch.lines), verdict, latency_ns)

    def close_second(self) -> Standing:
        second = self._tally.close_second(self._next_request)
        self._results.write(second)
        done = self._tally.acked + self._tally.rejected
        days = (self._plan.duration_seconds or 0) / SECONDS_PER_DAY
        text = f"{second.acked:,}/s, {done:,} events, day {days * done / self.total:.1f} of {days:g}"
        return Standing(second.second + 1, done, self.total, text)

    def summary(self) -> Summary:
        """Closes the results file's account; what has no answer by now never will."""
        self._tally.fail(self._tally.in_flight, "stopped before the answer")
        self.close_second()
        finished = self._tally.acked + self._tally.rejected == self.total
        seconds = (time.monotonic_ns() - self._started_ns) / NS_PER_SECOND
        summary = self._tally.summary(seconds, interrupted=not finished)
        self._results.write(summary)
        return summary


def batches(plan: Plan, stream: Iterator[Event]) -> Iterator[Batch]:
    pacer = Pacer.of(plan)
    request = 0
    while size := pacer.size(request):
        body = encode_ndjson(list(islice(stream, size)))
        # JSON escapes the newlines of its texts, so these are the ends of lines.
        yield Batch(request * plan.batch, tuple(body.splitlines(keepends=True)))
        request += 1
