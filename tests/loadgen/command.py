"""The command ``loadgen`` as a process."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path


async def start(*arguments: str, stdin: int | None = None) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "loadgen",
        *arguments,
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        cwd=Path(__file__).parents[2],
    )


async def finish(process: Process) -> tuple[int | None, str, str]:
    """Its exit code, and what it wrote to stdout and stderr."""
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


async def loadgen(*arguments: str) -> tuple[int | None, str, str]:
    return await finish(await start(*arguments))
