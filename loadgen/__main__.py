"""loadgen: the command line, and which command does what."""

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from loadgen.backfill_cli import backfill_command
from loadgen.cli import parser
from loadgen.commands import INTERRUPTED
from loadgen.replay_cli import replay_command
from loadgen.report_cli import report_command
from loadgen.run_cli import run_command
from loadgen.serve_cli import serve_command
from loadgen.verify_cli import verify_command

DOERS: Final[Mapping[str, Callable[[Namespace], int]]] = MappingProxyType(
    {
        "run": run_command,
        "verify": verify_command,
        "report": report_command,
        "backfill": backfill_command,
        "replay": replay_command,
        "serve": serve_command,
    }
)


def main(arguments: list[str] | None = None) -> int:
    try:
        options = parser().parse_args(arguments)
        return DOERS[options.command](options)
    except KeyboardInterrupt:
        # While nothing was sent yet: a command that sends catches signals itself, to give account of it.
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
