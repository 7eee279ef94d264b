"""Contenders in turn, round after round: a machine whose speed drifts changes the figures, hardly their ratios."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench, Row
from benchmarks.job import Plan, Sent
from benchmarks.peers import Peer
from benchmarks.sending import Sending, sending
from benchmarks.stored import Bucket, fresh_bucket


@dataclass(frozen=True)
class Contender:
    """Who takes which form of events; ``start`` has it running in front of a bucket."""

    name: str
    form: str
    start: Callable[[Bench, Bucket], AbstractContextManager[Peer]]


@dataclass(frozen=True)
class Run:
    """One contender in one round. ``seconds`` are from the first request until a query counted all in InfluxDB."""

    sent: Sent
    seconds: float
    counted: int
    cpu_seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        return self.counted / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU time of the contender's own processes, an event."""
        return self.cpu_seconds / self.sent.events * 10**6


@dataclass(frozen=True)
class Rounds:
    """What came out, by contender: one run a round each."""

    runs: Mapping[str, Sequence[Run]]

    def median(self, name: str, of: Callable[[Run], float]) -> float:
        return statistics.median(map(of, self.runs[name]))

    def ratio(self, name: str, other: str, of: Callable[[Run], float]) -> float:
        """The median of the rounds' own ratios."""
        pairs = zip(self.runs[name], self.runs[other], strict=True)
        return statistics.median(of(run) / of(against) for run, against in pairs)

    def wrong(self) -> Iterator[Row]:
        """A row for each run whose events are not all in InfluxDB, once each."""
        for name, runs in self.runs.items():
            for number, run in enumerate(runs, 1):
                if run.counted != run.sent.events:
                    measured = f"WRONG: {run.counted:,} of {run.sent.events:,} are in InfluxDB"
                    yield Row(f"{name}, round {number}", measured, "all", met=False)


def in_turn(bench: Bench, contenders: Sequence[Contender], plans: Mapping[str, Plan], connections: int) -> Rounds:
    """``plans`` by form: all contenders of a form are sent the same bodies by the same sender."""
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    with ExitStack() as stack:
        senders = {form: stack.enter_context(sending(plan)) for form, plan in plans.items()}
        for number in range(1, bench.rounds + 1):
            for contender in contenders:
                bench.progress(f"round {number} of {bench.rounds}: {contender.name}")
                runs[contender.name].append(_run(bench, contender, senders[contender.form], connections))
    return Rounds(runs)


def _run(bench: Bench, contender: Contender, sender: Sending, connections: int) -> Run:
    with fresh_bucket(bench.influx, run_name(bench)) as bucket, contender.start(bench, bucket) as peer:
        used = peer.tree.cpu_seconds()
        sent = sender.send(peer.job(contender.form, connections))
        ended, counted = bucket.wait_for(sent.events)
        used = peer.tree.cpu_seconds() - used
        return Run(sent, ended - sent.started, counted, used, peer.tree.peak_mb())


def run_name(bench: Bench) -> str:
    """A bucket's and a folder's that no run has had."""
    return Path(tempfile.mkdtemp(prefix="run-", dir=bench.folder)).name
