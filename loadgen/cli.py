"""The command line: what can be asked for, and the help that explains it."""

import sys
from argparse import Action, ArgumentDefaultsHelpFormatter, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, NoReturn

from loadgen.backfill_options import BACKFILL, BACKFILL_MORE, add_backfill
from loadgen.help_text import fitted
from loadgen.replay_options import REPLAY, REPLAY_MORE, add_replay
from loadgen.report_options import REPORT, REPORT_MORE, add_report
from loadgen.run_options import RUN, RUN_MORE, add_run
from loadgen.serve_options import SERVE, SERVE_MORE, add_serve
from loadgen.verify_options import VERIFY, VERIFY_MORE, add_verify

OVERVIEW = """\
Play the sensors: send events at a fixed rate, measure the answers, check what was stored.

  loadgen run                                  1000 sensors, an event a second each, for 60 s
  loadgen run --results run.jsonl && loadgen verify --results run.jsonl
  loadgen report run.jsonl --html run.html     what it measured, with plots
  loadgen backfill --days 7                    a past for the dashboards
  loadgen replay files/ --speed max            what was recorded, once more
  loadgen serve                                then: curl http://127.0.0.1:3000/generate/100
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
    root.add_argument("--version", action="version", version=f"loadgen of pulso {version('pulso')}")
    commands = root.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
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


COMMANDS: Final = (
    Command("run", "send events and measure", RUN, RUN_MORE, add_run),
    Command("verify", "check that what was acked is stored", VERIFY, VERIFY_MORE, add_verify),
    Command("report", "show and compare runs", REPORT, REPORT_MORE, add_report),
    Command("backfill", "send the events of past days", BACKFILL, BACKFILL_MORE, add_backfill),
    Command("replay", "send recorded events again", REPLAY, REPLAY_MORE, add_replay),
    Command("serve", "GET /generate/100 posts 100 events", SERVE, SERVE_MORE, add_serve),
)
