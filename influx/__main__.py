"""`python -m influx apply`: the command line."""

import asyncio
import sys
from collections.abc import Sequence

from influx import report
from influx.apply import apply
from influx.errors import NotApplied
from influx.options import Options, parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 applied, 1 could not; a usage error leaves by SystemExit(2)."""
    options = parse(arguments)
    try:
        asyncio.run(run(options))
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
