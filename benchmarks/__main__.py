"""``make bench``: measures on this machine and prints a table, a row as soon as it is known."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from subprocess import SubprocessError

from benchmarks import catalogue
from benchmarks.bench import Bench, Row, Sizes
from benchmarks.machine import StolenTime, machine
from benchmarks.table import Table
from tools.influx_server import NoInfluxError, own_influxd, set_up

_EXAMPLES = """\
examples:
  python -m benchmarks                                    everything, about an hour
  python -m benchmarks goals --json goals.json            the goals: beside Telegraf, and InfluxDB alone
  python -m benchmarks batches --rounds 1 --events 200000 a quick look at one of them
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        measures = catalogue.chosen(options.names)
    except catalogue.UnknownMeasurementError as error:
        print(f"python -m benchmarks: {error}; --help shows what there is", file=sys.stderr)
        return 2
    try:
        return 0 if _measure(measures, options) else 1
    except NoInfluxError as error:
        print(f"make bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=f"{__doc__}\n\ngroups, and the measurements in them:\n{catalogue.described()}",
        epilog=f"{_EXAMPLES}\nThe exit code 0 says only that it ran; the table says what was met.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sizes = Sizes()
    parser.add_argument("names", nargs="*", metavar="NAME", help="groups or measurements [default: all]")
    parser.add_argument("--seconds", type=_positive, default=60, help="length of the long measurements [default: 60]")
    parser.add_argument(
        "--rounds", type=_positive, default=5, help="repetitions of the short ones; medians [default: 5]"
    )
    parser.add_argument(
        "--events", type=_positive, default=sizes.batched, help=f"events of a run in batches [default: {sizes.batched}]"
    )
    parser.add_argument(
        "--single-events",
        type=_positive,
        default=sizes.single,
        help=f"events of a run in requests of their own [default: {sizes.single}]",
    )
    parser.add_argument(
        "--longest", type=_positive, default=sizes.longest, help=f"events of fifty_million [default: {sizes.longest}]"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return int(text)


def _measure(measures: Sequence[catalogue.Measurement], options: argparse.Namespace) -> bool:
    """Whether all could be measured."""
    stolen = StolenTime()
    here = machine()
    print(f"{here}; medians of {options.rounds}; sender, service and InfluxDB share the machine\n")
    table = Table()
    try:
        with closing(table), own_influxd() as influxd, tempfile.TemporaryDirectory(prefix="pulso-bench-") as folder:
            sizes = Sizes(batched=options.events, single=options.single_events, longest=options.longest)
            influx = set_up(influxd.server)
            bench = Bench(
                Path(folder), influxd, influx, options.seconds, options.rounds, sizes, progress=table.progress
            )
            failed = [measure for measure in measures if not _rows(measure, bench, table)]
            return not failed
    finally:
        said = f"{stolen.share():.0%} of this machine's CPU time went to other machines of its host meanwhile"
        print(f"\n{said}")
        if options.json:
            results = {"machine": here, "rounds": options.rounds, "stolen": stolen.share(), "rows": table.rows}
            options.json.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")


def _rows(measure: catalogue.Measurement, bench: Bench, table: Table) -> bool:
    """One that fails must not cost the others."""
    table.progress(measure.__name__)
    try:
        for row in measure(bench):
            table.add(measure.__name__, row)
    except (RuntimeError, OSError, SubprocessError) as error:
        table.add(measure.__name__, Row(measure.__name__, f"FAILED: {error}", "", met=False))
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
