"""One process of a run that several share: ``python -m loadgen.worker``, started by loadgen.processes.

It says that it is ready, gets its share in a line on its standard input, and writes a line a second, then its summary.
Any other line on the standard input, or its end, stops it as Ctrl-C would: it never outlives who started it.
"""

import asyncio
import gc
import sys
from functools import partial

import msgspec
import uvloop

from loadgen.latency import Latencies
from loadgen.results import Second
from loadgen.run import Run
from loadgen.sensors import events
from loadgen.share import Line, Part, Ready, Share


class Told:
    """The standard output, a whole line at a time. Raises BrokenPipeError when nobody listens any more."""

    def __init__(self) -> None:
        self._file = open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)  # noqa: SIM115 - open to the end

    def tell(self, line: Line) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")


async def work() -> None:
    gc.freeze()
    told = Told()
    commands = await _standard_input()
    told.tell(Ready())
    share = msgspec.json.decode(await commands.readline(), type=Share)
    stop = asyncio.Event()

    def listen(second: Second, latencies: Latencies) -> None:
        told.tell(Part(second, latencies.encode(), run.so_far()))

    run = Run(share.plan, events(share.plan), listen, share.start_ns, share.access)
    heeding = asyncio.ensure_future(commands.readline())
    heeding.add_done_callback(lambda _: stop.set())
    told.tell(await run.carry_out(stop))
    heeding.cancel()


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = partial(asyncio.StreamReaderProtocol, reader)
    await asyncio.get_running_loop().connect_read_pipe(protocol, sys.stdin)
    return reader


def main() -> int:
    code = 0
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work())
    except* BrokenPipeError:
        # Who started it is gone, and with it everybody who could be told.
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
