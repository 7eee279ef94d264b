"""The command line: what can be asked for, and the help that explains it."""

import sys
from argparse import Action, ArgumentDefaultsHelpFormatter, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from loadgen import arguments
from loadgen.backfill_options import BACKFILL, BACKFILL_MORE, add_backfill
from loadgen.help_text import fitted
from loadgen.replay_options import REPLAY, REPLAY_MORE, add_replay
from loadgen.report_options import REPORT, REPORT_MORE, add_report
from loadgen.run_options import RUN, RUN_MORE, add_run
from loadgen.serve_options import SERVE, SERVE_MORE, add_serve

OVERVIEW = """\
Play the sensors: send events at a fixed rate, measure the answers, check what was stored.

  loadgen run                                  1000 sensors, an event a second each, for 60 s
  loadgen run --results run.jsonl && loadgen verify --results run.jsonl
  loadgen report run.jsonl --html run.html     what it measured, with plots
  loadgen backfill --days 7                    a past for the dashboards
  loadgen replay files/ --speed max            what was recorded, once more
  loadgen serve                                then: curl http://127.0.0.1:3000/generate/100
"""

VERIFY = """\
Make the events of a run again from its results file, read back what is stored, and check that every acked event is
there exactly once, with its value and status. What was stored without being acked is counted, and is no failure.
"""

VERIFY_MORE = """\
example:
  loadgen verify --results run.jsonl --wait 60s

exit codes: 0 verified; 1 an acked event is missing, twice or altered; 2 the command line is wrong, the file can't be
read, another version of loadgen made its events, or the server is away.
"""


@dataclass(frozen=True)
class Command:
    """``more`` stands below the options: examples and exit codes."""

    name: str
    summary: str
    description: str
    more: str
    add_options: Callable[[ArgumentParser], None]


class Formatter(ArgumentDefaultsHelpFormatter, RawDescriptionHelpFormatter):
    """Fits paragraphs to the terminal, keeps the lines of what is indented, and adds the defaults there are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join("\n".join(fitted(paragraph, width, indent)) for paragraph in text.split("\n\n"))

    def _get_help_string(self, action: Action) -> str | None:
        return action.help if action.default in (None, False, []) else super()._get_help_string(action)


class Parser(ArgumentParser):
    """Says what is wrong in one sentence instead of repeating the usage."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}. See {self.prog} --help\n")
        sys.exit(2)


def parser() -> ArgumentParser:
    root = Parser(prog="loadgen", description=OVERVIEW, formatter_class=Formatter)
    names = "|".join(command.name for command in COMMANDS)
    commands = root.add_subparsers(dest="command", metavar=names, required=True, parser_class=Parser)
    for command in COMMANDS:
        command.add_options(
            commands.add_parser(
                command.name,
                help=command.summary,
                description=command.description,
                epilog=command.more,
                formatter_class=Formatter,
            )
        )
    return root


def _add_verify(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--results", type=Path, required=True, metavar="FILE", help="what loadgen run --results wrote")
    add("--url", type=arguments.url, help="the service to read from, if not the one the run sent to")
    add(
        "--wait",
        type=arguments.wait_seconds,
        default="30s",
        help="longest wait for events to show up in the store; 0 = look once",
    )


COMMANDS: Final = (
    Command("run", "send events and measure", RUN, RUN_MORE, add_run),
    Command("verify", "check that what was acked is stored", VERIFY, VERIFY_MORE, _add_verify),
    Command("report", "show and compare runs", REPORT, REPORT_MORE, add_report),
    Command("backfill", "send the events of past days", BACKFILL, BACKFILL_MORE, add_backfill),
    Command("replay", "send recorded events again", REPLAY, REPLAY_MORE, add_replay),
    Command("serve", "GET /generate/100 posts 100 events", SERVE, SERVE_MORE, add_serve),
)
