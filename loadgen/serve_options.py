"""``loadgen serve`` on the command line: its options and its help."""

from argparse import ArgumentParser

from loadgen import arguments
from loadgen.access import add_access
from loadgen.sensors.profiles import PROFILES, STEADY
from loadgen.server import LONGEST_SECONDS, MOST_CALLS, MOST_EVENTS

SERVE = """\
Serve the generator: GET /generate/100 posts 100 random events in parallel to ingest and answers with what came of it.
"""

SERVE_MORE = f"""\
example:
  loadgen serve & curl http://127.0.0.1:3000/generate/100

Up to {MOST_EVENTS:,} events and {LONGEST_SECONDS} s a call, and {MOST_CALLS} calls at a time. Answers: 200 with
what was sent, acked and failed; 400 for a count that is none; 403 for a browser that a page of another site sends,
and for a name with a dot: call it by an address, localhost or a bare name; 429 when busy; 502 with the reason if
ingest is away or took nothing.

exit codes: 0 stopped by Ctrl-C; 2 the command line is wrong or the port is taken.
"""


def add_serve(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all")
    add("--port", type=arguments.port, default=3000, help="port to listen on")
    add("--target", type=arguments.url, default=arguments.DEFAULT_URL, help="the ingest service")
    add_access(command)
    add("--profile", choices=PROFILES, default=STEADY.name, help="what the sensors are like, see loadgen run --help")
