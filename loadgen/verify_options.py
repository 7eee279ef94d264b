"""``loadgen verify`` on the command line: its options and its help."""

from argparse import ArgumentParser
from pathlib import Path

from loadgen import arguments
from loadgen.access import add_access

VERIFY = """\
Make the events of a run again from its results file, read back what is stored, and check that every acked event is
there exactly once, with its value and status. What was stored without being acked is counted, and is no failure.
"""

VERIFY_MORE = """\
example:
  loadgen verify --results run.jsonl --wait 60s

exit codes: 0 verified; 1 an acked event is missing, twice or altered; 2 the command line is wrong, the file can't be
read, another version of loadgen made its events, or the server is away; 130 interrupted.
"""


def add_verify(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--results", type=Path, required=True, metavar="FILE", help="what loadgen run --results wrote")
    add("--url", type=arguments.url, help="the service to read from, if not the one the run sent to")
    add_access(command)
    add(
        "--wait",
        type=arguments.wait_seconds,
        default="30s",
        help="longest wait for events to show up in the store; 0 = look once",
    )
