"""A run: connections take requests from the schedule, and the tally learns what became of them."""

import asyncio
import time
from collections.abc import Callable, Iterator

from loadgen.access import OPEN, Access
from loadgen.connection import Connection, NoAnswerError
from loadgen.latency import Latencies
from loadgen.pace import NS_PER_SECOND
from loadgen.pacer import Pacer
from loadgen.plan import Plan
from loadgen.progress import Reporter
from loadgen.results import ResultsWriter, Second, Started, Summary
from loadgen.schedule import Request, Schedule
from loadgen.sensors import EVENTS_VERSION, Event, events
from loadgen.tally import Tally
from loadgen.target import Target
from loadgen.verdict import judge

GRACE_SECONDS = 2
FIRST_BACKOFF_SECONDS = 0.05
LONGEST_BACKOFF_SECONDS = 1.0


async def run(
    plan: Plan,
    results: ResultsWriter,
    reporter: Reporter,
    stop: asyncio.Event,
    stream: Iterator[Event] | None = None,
    *,
    access: Access = OPEN,
) -> Summary:
    """Carry the plan out. When ``stop`` is set, send no more and wait up to 2 s for answers in flight.

    ``stream`` are the plan's events, for whoever wants to set them up before.
    """

    def listen(second: Second, _: Latencies) -> None:
        results.write(second)
        reporter.report(second)

    results.write(Started(plan, EVENTS_VERSION))
    with reporter:
        summary = await Run(plan, stream or events(plan), listen, access=access).carry_out(stop)
    results.write(summary)
    return summary


class Run:
    """One process's share of a run. It starts at ``start_ns``, on the clock of time.monotonic_ns(), or at once."""

    def __init__(
        self,
        plan: Plan,
        stream: Iterator[Event],
        listen: Callable[[Second, Latencies], None],
        start_ns: int | None = None,
        access: Access = OPEN,
    ) -> None:
        self._plan = plan
        self._target = Target.parse(plan.url)
        self._tls = access.context_for(self._target)
        self._listen = listen
        self._tally = Tally()
        self._schedule = Schedule(plan, stream, self._tally, start_ns, access.token)

    async def carry_out(self, stop: asyncio.Event) -> Summary:
        await asyncio.sleep(-self._elapsed_ns / NS_PER_SECOND)
        await self._send_all(stop)
        self._close_second()
        # The last request leaves before its time is over; counted short, the rate would come out too high.
        planned_ns = 0 if stop.is_set() else Pacer.of(self._plan).end_ns
        return self._tally.summary(max(self._elapsed_ns, planned_ns) / NS_PER_SECOND, interrupted=stop.is_set())

    def so_far(self) -> Summary:
        """What the seconds closed until now add up to."""
        return self._tally.summary(self._elapsed_ns / NS_PER_SECOND, interrupted=False)

    async def _send_all(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._work()) for _ in range(self._plan.connections)]
            helpers = [
                group.create_task(self._heed(stop, workers)),
                group.create_task(self._tick()),
                group.create_task(self._end_in_time()),
            ]
            await asyncio.wait(workers)
            for helper in helpers:
                helper.cancel()
        self._tally.fail(self._tally.in_flight, "stopped before the answer")

    async def _work(self) -> None:
        connection = Connection(self._target, self._plan.timeout_seconds, self._tls)
        backoff_seconds = FIRST_BACKOFF_SECONDS
        try:
            while (request := await self._schedule.take()) is not None:
                if await self._send(connection, request):
                    backoff_seconds = FIRST_BACKOFF_SECONDS
                else:
                    await asyncio.sleep(backoff_seconds)
                    backoff_seconds = min(2 * backoff_seconds, LONGEST_BACKOFF_SECONDS)
        finally:
            await connection.close()

    async def _send(self, connection: Connection, request: Request) -> bool:
        """Send once, whatever comes of it; whether an answer came."""
        self._tally.send(request.size, time.monotonic_ns() - request.due_ns)
        try:
            answer = await connection.request(request.payload)
        except NoAnswerError as reason:
            self._tally.fail(request.size, str(reason))
            return False
        latency_ns = time.monotonic_ns() - request.due_ns
        first_event = request.index * self._plan.batch
        self._tally.answer(request.index, first_event, request.size, judge(answer, request.size), latency_ns)
        return True

    async def _heed(self, stop: asyncio.Event, workers: list[asyncio.Task[None]]) -> None:
        await stop.wait()
        self._schedule.close()
        await asyncio.sleep(GRACE_SECONDS)
        for worker in workers:
            worker.cancel()

    async def _end_in_time(self) -> None:
        """Without a rate the pacer knows no end, so the clock has to."""
        if self._plan.closed_loop and self._plan.duration_seconds is not None:
            await asyncio.sleep(self._plan.duration_seconds)
            self._schedule.close()

    async def _tick(self) -> None:
        due = self._schedule.start_ns / NS_PER_SECOND
        while True:
            due += 1
            await asyncio.sleep(due - time.monotonic())
            self._close_second()

    def _close_second(self) -> None:
        second = self._tally.close_second(self._schedule.next_request)
        self._listen(second, self._tally.latencies_of_second)

    @property
    def _elapsed_ns(self) -> int:
        return time.monotonic_ns() - self._schedule.start_ns
