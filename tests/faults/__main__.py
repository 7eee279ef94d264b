"""Strike as long as told, and print the table. Exit code 0 if nothing was amiss, 1 if anything was."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from itertools import count

from rich.console import Console

from tests.faults import plans
from tests.faults.faults import FAULTS
from tests.faults.faults.fault import EMBEDDED, INFLUX
from tests.faults.plans import Plan
from tests.faults.progress import Progress
from tests.faults.run import Influx, run
from tests.faults.table import Tally, table
from tools.influx_server import NoInfluxError, own_influxd, set_up

_EXIT_BAD = 1
_EXIT_USAGE = 2
_SEEDS = 10**6


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    chosen = [plan for plan in (plans.mixed() if options.mixed else plans.alone()) if _is_wanted(plan, options)]
    if not chosen:
        print(f"there is no such fault, only: {_names()}", file=sys.stderr)
        return _EXIT_USAGE
    tally = Tally()
    try:
        with own_influxd() as influxd, Progress(tally) as progress:
            asyncio.run(_session(chosen, Influx(influxd, set_up(influxd.server)), options, progress, tally))
    except NoInfluxError as error:
        print(error, file=sys.stderr)
        return _EXIT_USAGE
    except KeyboardInterrupt:
        print("stopped; so far:", file=sys.stderr)
    # A pipe or a file has no width.
    Console(width=None if sys.stdout.isatty() else 140).print(table(tally.outcomes))
    return 0 if tally.is_good else _EXIT_BAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.faults", description=__doc__, epilog=f"Faults: {_names()}.")
    parser.add_argument("--fault", default="", help="only faults whose name begins with this")
    parser.add_argument("--store", choices=(EMBEDDED, INFLUX), help="only this store")
    parser.add_argument("--mixed", action="store_true", help="all faults on one service, each once: the short form")
    parser.add_argument("--seconds", type=float, default=0.0, help="go round for so long; 0: once round")
    parser.add_argument(
        "--seed",
        type=int,
        default=time.time_ns() % _SEEDS,
        help="what is sent and what strikes when; the next round's is one more",
    )
    return parser


def _names() -> str:
    return ", ".join(fault.name for fault in FAULTS)


def _is_wanted(plan: Plan, options: argparse.Namespace) -> bool:
    return options.store in (None, plan.store) and (options.mixed or plan.name.startswith(options.fault))


async def _session(
    chosen: Sequence[Plan], influx: Influx, options: argparse.Namespace, progress: Progress, tally: Tally
) -> None:
    """Once round in any case, and as often as there is time for."""
    deadline = time.monotonic() + options.seconds
    for number in count():
        for plan in chosen:
            if number and time.monotonic() > deadline:
                return
            progress.begins(plan, options.seed + number)
            outcome = await run(plan, influx, options.seed + number, progress.tells)
            tally.add((plan.name, plan.store), outcome)
            progress.ends(outcome)
        if time.monotonic() > deadline:
            return


if __name__ == "__main__":
    sys.exit(main())
