"""``loadgen run``, ``loadgen verify`` and ``loadgen serve``."""

import asyncio
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop
from aiohttp import web
from rich.console import Console

from loadgen import summary, verify
from loadgen.cli import parser
from loadgen.heartbeat import Heartbeat
from loadgen.plan import Plan
from loadgen.progress import Reporter, reporter
from loadgen.readback import CannotReadError
from loadgen.results import ResultsWriter, Summary, UnreadableError, read
from loadgen.run import run
from loadgen.server import application

T = TypeVar("T")

OK, NOT_ALL, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    command = {"run": run_command, "verify": verify_command, "serve": serve_command}[options.command]
    return command(options)


def run_command(options: Namespace) -> int:
    plan = _plan(options)
    try:
        results = ResultsWriter(options.results)
    except OSError as error:
        return _fail("run", f"{options.results} can't be written: {error.strerror}. Name another --results file")
    try:
        reporting = _reporter(options, plan)
    except OSError as error:
        return _fail("run", f"{options.heartbeat} can't be written: {error.strerror}. Name another --heartbeat file")
    with results:
        done = _loop(_run(plan, results, reporting))
    if done is None:
        return INTERRUPTED
    print(summary.text(done))
    return OK if done.all_acked else NOT_ALL


def verify_command(options: Namespace) -> int:
    try:
        record = read(options.results)
        findings = _loop(verify.verify(record, options.url or record.plan.url, options.wait))
    except (UnreadableError, CannotReadError) as error:
        return _fail("verify", str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    if not record.finished:
        print("the run did not end by itself: its last second is not checked")
    print(verify.text(findings))
    return OK if findings.good else NOT_ALL


def serve_command(options: Namespace) -> int:
    def announce(_aiohttps_own: str) -> None:
        print(f"try http://{options.host}:{options.port}/generate/100 (events go to {options.target})", flush=True)

    try:
        web.run_app(application(options.target, options.profile), host=options.host, port=options.port, print=announce)
    except OSError as error:
        return _fail("serve", f"can't listen: {error.strerror}. Try another --port")
    return OK


async def _run(plan: Plan, results: ResultsWriter, reporting: Reporter) -> Summary | None:
    """Run until done or interrupted; None if interrupted twice."""
    stop = asyncio.Event()
    running = asyncio.ensure_future(run(plan, results, reporting, stop))

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


def _reporter(options: Namespace, plan: Plan) -> Reporter:
    progress = reporter(plan, Console(stderr=True), quiet=options.quiet)
    return Heartbeat(options.heartbeat, progress) if options.heartbeat else progress


def _loop(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _plan(options: Namespace) -> Plan:
    return Plan(
        url=options.url,
        format=options.format,
        rate=options.rate,
        sensors=options.sensors,
        profile=options.profile,
        batch=options.batch,
        seed=options.seed,
        start_ms=time.time_ns() // 1_000_000,
        duration_seconds=options.duration,
        events=options.events,
        connections=options.connections,
        timeout_seconds=options.timeout,
    )


def _fail(command: str, reason: str) -> int:
    print(f"loadgen {command}: {reason}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
