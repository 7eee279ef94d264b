"""The command line: what can be asked for, and the help that explains it."""

import sys
from argparse import Action, ArgumentDefaultsHelpFormatter, ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import NoReturn

from loadgen import arguments
from loadgen.backfill_options import BACKFILL, BACKFILL_MORE, add_backfill
from loadgen.replay_options import REPLAY, REPLAY_MORE, add_replay
from loadgen.run_options import RUN, RUN_MORE, add_run
from loadgen.sensors.profiles import PROFILES, STEADY

OVERVIEW = """\
Play the sensors: send events at a fixed rate, measure the answers, check what was stored.

  loadgen run                                  1000 sensors, an event a second each, for 60 s
  loadgen run --results run.jsonl && loadgen verify --results run.jsonl
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
read or the server is away.
"""

SERVE = """\
Serve the generator: GET /generate/100 posts 100 random events in parallel to ingest and answers with what came of it.
"""

SERVE_MORE = """\
example:
  loadgen serve & curl http://127.0.0.1:3000/generate/100

exit codes: 0 stopped by Ctrl-C; 2 the command line is wrong or the port is taken.
"""


class Formatter(ArgumentDefaultsHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps our line breaks and adds the defaults, where there are any."""

    def _get_help_string(self, action: Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


class Parser(ArgumentParser):
    """Says what is wrong in one sentence instead of repeating the usage."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}. See {self.prog} --help\n")
        sys.exit(2)


def parser() -> ArgumentParser:
    root = Parser(prog="loadgen", description=OVERVIEW, formatter_class=RawDescriptionHelpFormatter)
    commands = root.add_subparsers(
        dest="command", metavar="run|verify|backfill|replay|serve", required=True, parser_class=Parser
    )
    add_run(_command(commands.add_parser("run", help="send events and measure"), RUN, RUN_MORE))
    _add_verify(
        _command(commands.add_parser("verify", help="check that what was acked is stored"), VERIFY, VERIFY_MORE)
    )
    add_backfill(
        _command(commands.add_parser("backfill", help="send the events of past days"), BACKFILL, BACKFILL_MORE)
    )
    add_replay(_command(commands.add_parser("replay", help="send recorded events again"), REPLAY, REPLAY_MORE))
    _add_serve(_command(commands.add_parser("serve", help="GET /generate/100 posts 100 events"), SERVE, SERVE_MORE))
    return root


def _command(command: ArgumentParser, description: str, epilog: str) -> ArgumentParser:
    command.description, command.epilog, command.formatter_class = description, epilog, Formatter
    return command


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


def _add_serve(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all")
    add("--port", type=arguments.port, default=3000, help="port to listen on")
    add("--target", type=arguments.url, default=arguments.DEFAULT_URL, help="the ingest service; http:// only")
    add("--profile", choices=PROFILES, default=STEADY.name, help="what the sensors are like, see loadgen run --help")
