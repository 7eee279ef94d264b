"""Speaks with a ``benchmarks.sender`` of its own: one plan, as many jobs as wanted."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from benchmarks.job import Job, Plan, Sent


class Sending:
    """A sender whose bodies are ready."""

    def __init__(self, process: subprocess.Popen[bytes], plan: Plan) -> None:
        self._process = process
        self.plan = plan

    def send(self, job: Job) -> Sent:
        """Send all of the plan, and return when all is acked. Raises RuntimeError with what the sender said last."""
        self.start(job)
        return self.wait()

    def start(self, job: Job) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()

    def wait(self) -> Sent:
        return msgspec.json.decode(self.line(), type=Sent)

    def line(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sender ended with {self._process.wait()}: its complaint is above")
        return line


@contextmanager
def sending(plan: Plan) -> Iterator[Sending]:
    """Ready with all bodies made."""
    command = [sys.executable, "-m", "benchmarks.sender"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write(msgspec.json.encode(plan) + b"\n")
        process.stdin.flush()
        sender = Sending(process, plan)
        sender.line()
        yield sender
    finally:
        process.terminate()
        process.wait(30)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
