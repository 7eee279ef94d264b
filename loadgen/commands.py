"""What all commands share: their exit codes, their loop, and how they say what went wrong."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

OK, NOT_ALL, USAGE, FAILED_IF, INTERRUPTED = 0, 1, 2, 3, 130


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def fail(command: str, reason: str) -> int:
    """Say it in a sentence; the exit code for that."""
    sys.stderr.write(f"loadgen {command}: {reason}\n")
    return USAGE
