"""The commands of loadgen."""

import sys
from argparse import Namespace

from rich.console import Console

from loadgen.backfill_cli import backfill_command
from loadgen.cli import parser
from loadgen.commands import INTERRUPTED, NOT_ALL, OK, fail, in_loop
from loadgen.readback import CannotReadError
from loadgen.replay_cli import replay_command
from loadgen.report_cli import report_command
from loadgen.results import UnreadableError, read
from loadgen.run_cli import run_command
from loadgen.serve_cli import serve_command
from loadgen.standing import reporter
from loadgen.verify import OtherEventsError, text, verify


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    commands = {
        "run": run_command,
        "verify": verify_command,
        "backfill": backfill_command,
        "replay": replay_command,
        "report": report_command,
        "serve": serve_command,
    }
    return commands[options.command](options)


def verify_command(options: Namespace) -> int:
    try:
        record = read(options.results)
        with reporter(Console(stderr=True)) as reporting:
            findings = in_loop(verify(record, options.url or record.plan.url, options.wait, reporting.report))
    except (UnreadableError, CannotReadError, OtherEventsError) as error:
        return fail("verify", str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    if not record.finished:
        print("the run did not end by itself: its last second is not checked")
    print(text(findings))
    return OK if findings.good else NOT_ALL


if __name__ == "__main__":
    sys.exit(main())
