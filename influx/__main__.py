"""`python -m influx`: the command line."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from influx import options, report, rollup_cli
from influx.apply import apply
from influx.errors import NotApplied
from influx.options import Options

DESCRIPTION = "What InfluxDB must hold for Pulso: buckets, tokens, and exact counts of the events."


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 could not, 130 interrupted; a usage error leaves by SystemExit(2)."""
    given = build_parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m influx", description=DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    options.add_parser(commands).set_defaults(run=apply_command)
    rollup_cli.add_parser(commands)
    return parser


def apply_command(given: argparse.Namespace) -> int:
    try:
        asyncio.run(run(options.read(given)))
    except NotApplied as error:
        complain(error)
        return 1
    return 0


async def run(options: Options) -> None:
    steps = await apply(
        options.declared,
        options.access(),
        options.tokens_dir,
        dry_run=options.dry_run,
        allow_shrink=options.allow_shrink,
        wait_seconds=options.wait_seconds,
    )
    for line in report.lines(options.declared, steps, dry_run=options.dry_run):
        print(line)


def complain(error: NotApplied) -> None:
    for line in report.made(error.done):
        print(line)
    failed = f"{error.failed.changes[0].thing}: " if error.failed else ""
    print(f"influx apply: {failed}{error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
