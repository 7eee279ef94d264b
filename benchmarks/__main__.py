"""``make bench``: measures on this machine and prints a table, a row as soon as it is known."""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks import archive, dashboards, measurements, overload, page
from benchmarks.bench import Bench
from benchmarks.loadgen_limits import loadgen_limits
from tools.influx_server import INFLUXD, NoInfluxError, own_influxd, set_up

ALL = (*measurements.ALL, *overload.ALL, *archive.ALL, loadgen_limits, *dashboards.ALL, *page.ALL)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    names = [measure.__name__ for measure in ALL]
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(names)} [default: all]")
    parser.add_argument("--seconds", type=int, default=60, help="length of the long measurements [default: 60]")
    parser.add_argument(
        "--rounds", type=int, default=5, help="repetitions of the short ones; medians are shown [default: 5]"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.only) - set(names))
    if unknown:
        parser.error(f"there is no measurement {unknown[0]}; there are {', '.join(names)}")
    try:
        _measure(options)
    except NoInfluxError as error:
        print(f"make bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _measure(options: argparse.Namespace) -> None:
    print(f"{_machine()}; medians of {options.rounds}; sender, service and InfluxDB share the machine\n")
    print("| what | measured | goal |\n|---|---|---|", flush=True)
    before = psutil.cpu_times()
    with own_influxd() as influxd, tempfile.TemporaryDirectory(prefix="pulso-bench-") as folder:
        bench = Bench(Path(folder), influxd, set_up(influxd.server), options.seconds, options.rounds)
        for measure in ALL:
            if not options.only or measure.__name__ in options.only:
                for row in measure(bench):
                    print(f"| {row.what} | {row.measured} | {row.goal} |", flush=True)
    print(f"\n{_stolen(before)} of this machine's CPU time went to other machines of its host meanwhile")


def _stolen(before: Any) -> str:
    """A virtual machine whose host is busy measures its host."""
    after = psutil.cpu_times()
    stolen = getattr(after, "steal", 0.0) - getattr(before, "steal", 0.0)
    return f"{stolen / (sum(after) - sum(before)):.0%}"


def _machine() -> str:
    """What speed figures depend on; the loop says how fast this machine is just now."""
    started = time.perf_counter()
    for _ in range(10_000_000):
        pass
    loop_seconds = time.perf_counter() - started
    programs = f"Python {platform.python_version()}, InfluxDB {INFLUXD.version()}"
    return f"{os.cpu_count()} cores, {programs}, 10 M empty loops in {loop_seconds:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
