"""The command line: what can be asked for, and the help that explains it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from credentials.declared import SERVICES

DESCRIPTION = """\
The secrets that the services start with, one a file in DIR. `make` makes those that are missing, at
random, and prints none. `show` prints them all. Those that are there are never changed."""

EPILOG = """\
examples:
  python -m credentials make --dir /run/secrets/pulso --group influxdb=1000 --group grafana=472
  python -m credentials show --dir /run/secrets/pulso
  docker compose run --rm secrets show

exit codes: 0 done, 1 could not, 2 usage error."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; ``groups`` has a gid by service."""

    command: str
    folder: Path
    groups: dict[str, int]


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Leaves by SystemExit(2) if they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m credentials",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=("make", "show"), help="make what is missing, or print what there is")
    parser.add_argument(
        "--dir", type=Path, default=Path("data/secrets"), help="folder of the files [default %(default)s]"
    )
    parser.add_argument(
        "--group",
        type=service_group,
        action="append",
        default=[],
        metavar="SERVICE=GID",
        help=f"make: let a group read the secrets of a service ({', '.join(SERVICES)}); as often as needed",
    )
    given = parser.parse_args(arguments)
    return Options(given.command, given.dir, dict(given.group))


def service_group(text: str) -> tuple[str, int]:
    service, _, gid = text.partition("=")
    if service not in SERVICES or not (gid.isascii() and gid.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not like grafana=472; the services are {', '.join(SERVICES)}")
    return service, int(gid)
