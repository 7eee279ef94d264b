"""A run shared out to several processes: starts them together, merges what they tell, and says if one dies."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process

import msgspec

from loadgen.access import OPEN, Access
from loadgen.merge import Shares, merged_summary
from loadgen.plan import Plan
from loadgen.progress import Reporter
from loadgen.results import ResultsWriter, Started, Summary
from loadgen.sensors import EVENTS_VERSION
from loadgen.share import Line, Part, Ready, Share

# From the last process being ready to the first event: for the lines with their shares, and to set up the sensors.
LEAD_NS = 200_000_000
LEAD_NS_A_SENSOR = 20_000
LONGEST_LINE_BYTES = 1 << 28


class ProcessDiedError(Exception):
    """A process of loadgen ended before its time. ``summary`` is what is known of the run; the text says the rest."""

    def __init__(self, text: str, summary: Summary) -> None:
        super().__init__(text)
        self.summary = summary


async def run_in_processes(
    plan: Plan, results: ResultsWriter, reporter: Reporter, stop: asyncio.Event, access: Access = OPEN
) -> Summary:
    """As ``run``, by as many processes as the plan says. Raises ProcessDiedError when the others have ended."""
    workers = [Worker(share) for share in range(plan.processes)]
    try:
        await asyncio.gather(*(worker.start() for worker in workers))
        return await Crew(plan, workers, results, reporter, access).carry_out(stop)
    finally:
        await asyncio.gather(*(worker.end() for worker in workers))


class Worker:
    """One process, seen from the outside."""

    def __init__(self, share: int) -> None:
        self.share = share
        self._process: Process | None = None
        self._lines = msgspec.json.Decoder(Line)

    async def start(self) -> None:
        """Until it is ready for its share."""
        command = [sys.executable, "-m", "loadgen.worker"]
        # In a session of its own: Ctrl-C is for the one that the user started, which then stops the others.
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, start_new_session=True, limit=LONGEST_LINE_BYTES
        )
        if not isinstance(await self.read(), Ready):
            text = f"process {self.share + 1} did not start: it {await self.fate()}; its message is above"
            raise ProcessDiedError(text, merged_summary([]))

    def send(self, line: bytes) -> None:
        stdin = self._running.stdin
        if stdin is not None and not stdin.is_closing():
            stdin.write(line + b"\n")

    async def read(self) -> Line | None:
        """Its next line; None when it has ended."""
        stdout = self._running.stdout
        line = await stdout.readline() if stdout is not None else b""
        # What follows the last newline was torn by its death.
        return self._lines.decode(line) if line.endswith(b"\n") else None

    async def fate(self) -> str:
        """How it ended."""
        code = await self._running.wait()
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    async def end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("the process was not started")
        return self._process


class Crew:
    """The processes of one run."""

    def __init__(
        self, plan: Plan, workers: list[Worker], results: ResultsWriter, reporter: Reporter, access: Access
    ) -> None:
        self._plan = plan
        self._access = access
        self._workers = workers
        self._results = results
        self._reporter = reporter
        self._shares = Shares(plan.processes)
        self._deaths: list[str] = []

    async def carry_out(self, stop: asyncio.Event) -> Summary:
        lead_ns = LEAD_NS + LEAD_NS_A_SENSOR * self._plan.sensors
        start_ms = (time.time_ns() + lead_ns) // 1_000_000
        start_ns = time.monotonic_ns() + lead_ns
        plan = msgspec.structs.replace(self._plan, start_ms=start_ms)
        self._results.write(Started(plan, EVENTS_VERSION))
        for worker, share in zip(self._workers, plan.shares(), strict=True):
            worker.send(msgspec.json.encode(Share(share, start_ns, self._access)))
        heeding = asyncio.ensure_future(self._heed(stop))
        with self._reporter:
            await asyncio.gather(*map(self._listen, self._workers))
        heeding.cancel()
        return self._summary()

    def _summary(self) -> Summary:
        summary = self._shares.summary()
        if self._deaths:
            # No summary in the file: verify then says that the run did not end by itself.
            raise ProcessDiedError("; ".join(self._deaths), summary)
        self._results.write(summary)
        return summary

    async def _heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stop_all()

    def _stop_all(self) -> None:
        for worker in self._workers:
            worker.send(b"stop")

    async def _listen(self, worker: Worker) -> None:
        line = await worker.read()
        while isinstance(line, Part):
            self._shares.add(worker.share, line)
            self._report()
            line = await worker.read()
        summary = line if isinstance(line, Summary) else None
        self._shares.end(worker.share, summary)
        if summary is None:
            self._deaths.append(await self._death(worker))
            self._stop_all()
        self._report()

    async def _death(self, worker: Worker) -> str:
        told = self._shares.told(worker.share)
        return (
            f"process {worker.share + 1} of {self._plan.processes} {await worker.fate()} after second {told}: "
            "what it sent since then is not counted, the rest of its events was not sent, and the others were stopped"
        )

    def _report(self) -> None:
        for second in self._shares.seconds():
            self._results.write(second)
            self._reporter.report(second)
