"""The command line: what can be asked for, and the help that explains it."""

import sys
from argparse import Action, ArgumentDefaultsHelpFormatter, ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import NoReturn

from loadgen import arguments
from loadgen.encode import FORMATS
from loadgen.sensor_options import add_sensors, profile_table
from loadgen.sensors.profiles import PROFILES, STEADY

DEFAULT_URL = "http://127.0.0.1:5000"

OVERVIEW = """\
Play the sensors: send events at a fixed rate, measure the answers, check what was stored.

  loadgen run                                  1000 sensors, an event a second each, for 60 s
  loadgen run --results run.jsonl && loadgen verify --results run.jsonl
  loadgen serve                                then: curl http://127.0.0.1:3000/generate/100
"""

RUN = """\
Send events at a fixed rate, however fast the server answers. An event that has to wait for a free connection still
counts its latency from its planned time, so a slow server can't hide behind a patient client. No request is sent twice.
Latencies are those of answered requests, and include up to 1 ms of the sender's own clock grain.
"""

RUN_MORE = f"""\
{profile_table()}

examples:
  loadgen run --profile farm --duration forever --quiet      simulated sensors, until Ctrl-C
  loadgen run --rate 20000 --batch 100 --format ndjson       20 000 events/s in 200 requests/s
  loadgen run --rate 0 --events 1000000 --batch 1000         how fast will it go?
  loadgen run --seed 7 --results run.jsonl                   keep what verify needs

exit codes: 0 all events acked; 1 some were not; 2 the command line is wrong; 130 interrupted twice.
The first Ctrl-C stops sending, waits up to 2 s for answers and still prints the summary.
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
    commands = root.add_subparsers(dest="command", metavar="run|verify|serve", required=True, parser_class=Parser)
    _add_run(_command(commands.add_parser("run", help="send events and measure"), RUN, RUN_MORE))
    _add_verify(
        _command(commands.add_parser("verify", help="check that what was acked is stored"), VERIFY, VERIFY_MORE)
    )
    _add_serve(_command(commands.add_parser("serve", help="GET /generate/100 posts 100 events"), SERVE, SERVE_MORE))
    return root


def _command(command: ArgumentParser, description: str, epilog: str) -> ArgumentParser:
    command.description, command.epilog, command.formatter_class = description, epilog, Formatter
    return command


def _add_run(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--url", type=arguments.url, default=DEFAULT_URL, help="the ingest service; http:// only")
    add(
        "--rate",
        type=arguments.rate,
        default=1000.0,
        help="events a second; 0 = as fast as the connections go, each waiting for its answer (a closed loop: "
        "latency is then counted from sending)",
    )
    add(
        "--duration",
        type=arguments.limit_seconds,
        default="60s",
        help="how long to send, like 500ms, 60s, 5m, 1h; 0 or forever = until Ctrl-C",
    )
    add("--events", type=arguments.positive, help="stop after so many events, if the duration is not over before")
    add_sensors(command, sensors=1000)
    add(
        "--batch",
        type=arguments.positive,
        default=1,
        help="events in a request; it leaves when its last event has happened",
    )
    add("--format", choices=FORMATS, default="json", help="json, ndjson, or lp for InfluxDB line protocol")
    add("--connections", type=arguments.positive, default=100, help="most connections open at a time")
    add(
        "--timeout",
        type=arguments.timeout_seconds,
        default="30s",
        help="longest wait for an answer, and for a free connection before an event is given up unsent",
    )
    _add_reporting(command)


def _add_reporting(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--results", type=Path, metavar="FILE", help="write the results here as JSON lines, for verify")
    add("--quiet", action="store_true", help="no progress, only the summary")
    add(
        "--heartbeat",
        type=Path,
        metavar="FILE",
        help="touch this file every second in which an event was acked, for a health check of a run without an end",
    )


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
    add("--target", type=arguments.url, default=DEFAULT_URL, help="the ingest service; http:// only")
    add("--profile", choices=PROFILES, default=STEADY.name, help="what the sensors are like, see loadgen run --help")
