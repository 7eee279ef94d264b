"""The options of every command that delivers."""

from argparse import ArgumentParser, Namespace

from loadgen import arguments
from loadgen.access import access_of, add_access
from loadgen.delivery.deliver import Service


def add_service(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--url", type=arguments.url, default=arguments.DEFAULT_URL, help="the ingest service")
    add_access(command)
    add("--connections", type=arguments.positive, default=4, help="requests under way at a time")
    add("--timeout", type=arguments.timeout_seconds, default="30s", help="longest wait for an answer")
    add(
        "--patience",
        type=arguments.limit_seconds,
        default="10m",
        help="how long to go on trying while nothing gets through; 0 or forever = until Ctrl-C",
    )
    add("--quiet", action="store_true", help="no progress, only the summary and what is waited for")


def service(options: Namespace) -> Service:
    """Raises BadAccessError."""
    return Service(options.url, options.connections, options.timeout, options.patience, access_of(options))
