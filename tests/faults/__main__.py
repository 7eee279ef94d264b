"""``python -m tests.faults``: strike as long as told, and print the table. Exit code 1 if anything was amiss."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from itertools import count
from random import Random

from rich.console import Console

from tests.faults.faults import FAULTS
from tests.faults.faults.fault import EMBEDDED, INFLUX, Fault
from tests.faults.run import Influx, Outcome, run
from tests.faults.table import Tally, table
from tools.influx_server import NoInfluxError, own_influxd, set_up

_SEEDS = 10**6
# Before the oracle looks: it reads everything, which takes its time.
_STRIKES = 5


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    chosen = [(fault, store) for fault in FAULTS for store in fault.stores if _wanted(options, fault, store)]
    if not chosen:
        print(f"no such fault; there are {', '.join(fault.name for fault in FAULTS)}", file=sys.stderr)
        return 2
    print(f"seed {options.seed}", file=sys.stderr)
    tally = Tally()
    try:
        with own_influxd() as influxd:
            asyncio.run(_session(chosen, Influx(influxd, set_up(influxd.server)), options, tally))
    except NoInfluxError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    _report(tally)
    return 0 if tally.is_good and tally.outcomes else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.faults", description=__doc__)
    parser.add_argument("--fault", default="", help="only faults whose name begins with this")
    parser.add_argument("--store", choices=(EMBEDDED, INFLUX), help="only this store")
    parser.add_argument("--seconds", type=float, default=0.0, help="go round for so long; 0: once round")
    parser.add_argument("--seed", type=int, default=time.time_ns() % _SEEDS, help="what strikes when")
    return parser


def _wanted(options: argparse.Namespace, fault: Fault, store: str) -> bool:
    return fault.name.startswith(options.fault) and options.store in (None, store)


async def _session(
    chosen: Sequence[tuple[Fault, str]], influx: Influx, options: argparse.Namespace, tally: Tally
) -> None:
    """Once round in any case, and as often as there is time for."""
    random, deadline = Random(options.seed), time.monotonic() + options.seconds
    for number in count():
        for fault, store in chosen:
            if number and time.monotonic() > deadline:
                return
            seed = random.randrange(_SEEDS)
            started = time.monotonic()
            outcome = await run([fault], store, influx, seed, strikes_each=_STRIKES)
            tally.add((fault.name, store), outcome)
            _tell(f"{fault.name} {store} seed {seed}, {time.monotonic() - started:.1f} s", outcome)
        if time.monotonic() > deadline:
            return


def _tell(what: str, outcome: Outcome) -> None:
    print(f"{what}: {outcome.strikes} strikes, {outcome.acked} acked, {outcome.stored} stored", file=sys.stderr)
    if not outcome.verdict.is_good:
        print(outcome.verdict.text(), file=sys.stderr)


def _report(tally: Tally) -> None:
    # A pipe or a file has no width.
    console = Console() if sys.stdout.isatty() else Console(width=140)
    console.print(table(tally.outcomes))


if __name__ == "__main__":
    sys.exit(main())
