"""``loadgen run``: from its options to its exit code."""

import asyncio
import gc
import signal
from argparse import Namespace
from collections.abc import Iterator, Sequence

from rich.console import Console

from loadgen import summary
from loadgen.access import Access, BadAccessError, access_of
from loadgen.commands import FAILED_IF, INTERRUPTED, NOT_ALL, OK, fail, in_loop
from loadgen.conditions import Condition, Outcome, tolerates
from loadgen.connection import refusal
from loadgen.heartbeat import Heartbeat
from loadgen.plan import Plan
from loadgen.processes import ProcessDiedError, run_in_processes
from loadgen.progress import Reporter, reporter
from loadgen.results import ResultsWriter, Summary
from loadgen.run import run
from loadgen.run_options import BadOptionsError, plan_of
from loadgen.sensors import Event, events
from loadgen.target import Target


def run_command(options: Namespace) -> int:
    try:
        plan, access = plan_of(options), access_of(options)
    except (BadOptionsError, BadAccessError) as error:
        return fail("run", str(error))
    target = Target.parse(plan.url)
    away = in_loop(refusal(target, plan.timeout_seconds, access.context_for(target)))
    if away:
        return fail("run", f"nobody answers at {plan.url}: {away}. Start the service, or name it with --url")
    try:
        results = ResultsWriter(options.results)
    except OSError as error:
        return fail("run", f"{options.results} can't be written: {error.strerror}. Name another --results file")
    try:
        reporting = _reporter(options, plan)
    except OSError as error:
        return fail("run", f"{options.heartbeat} can't be written: {error.strerror}. Name another --heartbeat file")
    with results:
        return _carry_out(plan, access, results, reporting, options.fail_if)


def _carry_out(
    plan: Plan, access: Access, results: ResultsWriter, reporting: Reporter, conditions: Sequence[Condition]
) -> int:
    # Before the loop, whose handlers would let a signal wait until millions of sensors are set up.
    stream = events(plan) if plan.processes == 1 else None
    try:
        done = in_loop(_run(plan, access, results, reporting, stream))
    except ProcessDiedError as error:
        _show(error.summary, [])
        fail("run", str(error))
        return NOT_ALL
    except (OSError, ExceptionGroup) as error:
        cause = _os_error(error)
        return fail("run", f"stopped, for {cause.filename} can't be written any more: {cause.strerror}")
    if done is None:
        return INTERRUPTED
    outcomes = [condition.judge(done) for condition in conditions]
    _show(done, outcomes)
    if any(outcome.holds for outcome in outcomes):
        return FAILED_IF
    return OK if done.all_acked or tolerates(conditions, done) else NOT_ALL


async def _run(
    plan: Plan, access: Access, results: ResultsWriter, reporting: Reporter, stream: Iterator[Event] | None
) -> Summary | None:
    """Run until done or interrupted; None if interrupted twice."""
    # A collection of all that the libraries have made would take 10 ms and more in the middle of a measurement.
    gc.freeze()
    stop = asyncio.Event()
    running = asyncio.ensure_future(
        run_in_processes(plan, results, reporting, stop, access)
        if stream is None
        else run(plan, results, reporting, stop, stream, access=access)
    )

    def interrupt() -> None:
        if stop.is_set():
            running.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    try:
        return await running
    except asyncio.CancelledError:
        return None


def _os_error(error: OSError | ExceptionGroup[Exception]) -> OSError:
    """The one inside; any other error goes on."""
    while isinstance(error, ExceptionGroup):
        inner = error.exceptions[0]
        if not isinstance(inner, (OSError, ExceptionGroup)):
            raise error
        error = inner
    return error


def _reporter(options: Namespace, plan: Plan) -> Reporter:
    progress = reporter(plan, Console(stderr=True), quiet=options.quiet)
    return Heartbeat(options.heartbeat, progress) if options.heartbeat else progress


def _show(done: Summary, outcomes: Sequence[Outcome]) -> None:
    print(summary.text(done, outcomes))
