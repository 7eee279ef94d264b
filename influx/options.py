"""Options and environment variables. An option wins over its variable, a variable over the default."""

import argparse
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from influx import durations
from influx.connection import Access
from influx.declared import EVENTS, FOR_EVER, OPS, ROLLUP, Bucket, Declared, pulso
from influx.errors import Refused
from influx.tokens import read_secret

MIN_RETENTION_SECONDS = 3_600

DESCRIPTION = """\
Make InfluxDB 2 hold what Pulso needs: the organization, its buckets, an InfluxQL database for each,
and a scoped token for each service, written to DIR/<name>.token (0600). Say it as often as you like:
only what differs is changed, and a token is replaced only if its file is gone or no longer works.
Use one DIR for one InfluxDB: a second folder would take the tokens over from the first."""

EPILOG = """\
examples:
  python -m influx apply                                     a fresh server: sets it up, too
  python -m influx apply --dry-run                           what would it do?
  python -m influx apply --wait 30 --tokens-dir /run/tokens  in a container, next to InfluxDB
  python -m influx apply --group grafana=472                 grafana.token is for the members of group 472, too
  python -m influx apply --token-file operator.token --url https://influx.example:8086
  python -m influx apply --retention 365d --allow-shrink     deletes events older than a year

admin token, the first that is given:
  --token-file, INFLUXDB_TOKEN_FILE, INFLUXDB_TOKEN, DIR/admin.token.
  A server that is not set up yet takes it as its operator token; without any, one is made.
  It is then written to DIR/admin.token, a generated password to DIR/admin.password.

exit codes: 0 all is as declared, 1 could not, 2 usage error."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    url: str
    token_file: str
    username: str
    password_file: str
    declared: Declared
    tokens_dir: Path
    dry_run: bool
    allow_shrink: bool
    wait_seconds: float

    def access(self) -> Access:
        """Reads the secrets. Raises Refused if one that is asked for can't be read."""
        password = needed_secret(self.password_file) if self.password_file else ""
        if self.token_file:
            return Access(self.url, needed_secret(self.token_file), self.token_file, self.username, password)
        token = os.environ.get("INFLUXDB_TOKEN", "").strip()
        return Access(self.url, token, "INFLUXDB_TOKEN", self.username, password)


def needed_secret(path: str) -> str:
    text = read_secret(Path(path))
    if not text:
        raise Refused(f"{path} is {'missing' if text is None else 'empty'}: it should hold the secret alone.")
    return text


def read(given: argparse.Namespace) -> Options:
    """Options of the command line and the environment; leaves by SystemExit(2) if they are wrong."""
    buckets = (
        Bucket(given.bucket, given.retention),
        Bucket(given.rollup_bucket, given.rollup_retention),
        Bucket(given.ops_bucket, given.ops_retention),
    )
    if len({bucket.name for bucket in buckets}) < len(buckets):
        given.parser.error("the three buckets need three different names")
    try:
        declared = shared(pulso(given.org, events=buckets[0], rollup=buckets[1], ops=buckets[2]), dict(given.group))
    except ValueError as error:
        given.parser.error(str(error))
    return Options(
        url=given.url,
        token_file=given.token_file,
        username=given.username,
        password_file=given.password_file,
        declared=declared,
        tokens_dir=given.tokens_dir,
        dry_run=given.dry_run,
        allow_shrink=given.allow_shrink,
        wait_seconds=given.wait,
    )


def shared(declared: Declared, groups: Mapping[str, int]) -> Declared:
    """With each token's file for its group, by token name. Raises ValueError for a name that no token has."""
    names = [token.name for token in declared.tokens]
    unknown = [name for name in groups if name not in names]
    if unknown:
        raise ValueError(f"--group {unknown[0]}: there is no such token, only {', '.join(names)}")
    return replace(declared, tokens=tuple(replace(token, group=groups.get(token.name)) for token in declared.tokens))


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add the command ``apply``."""
    command = commands.add_parser(
        "apply",
        help="make InfluxDB hold what Pulso needs, and write its tokens",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_server(command)
    add_declared(command)
    flag = command.add_argument
    flag("--dry-run", action="store_true", help="tell what would be done; change nothing, write no file")
    flag("--allow-shrink", action="store_true", help="let a retention get shorter: InfluxDB deletes what is older")
    flag(
        "--group",
        type=token_group,
        action="append",
        default=[],
        metavar="TOKEN=GID",
        help="let a group read a token's file (0640), for a service that runs as another user; as often as needed",
    )
    flag("--wait", type=float, default=0, metavar="SECONDS", help="wait so long for a server to answer [default 0]")
    command.set_defaults(parser=command)
    return command


def add_server(parser: argparse.ArgumentParser) -> None:
    setting(parser, "--url", "INFLUXDB_URL", "http://127.0.0.1:8086", "InfluxDB's address", convert=http_url)
    setting(parser, "--token-file", "INFLUXDB_TOKEN_FILE", "", "file of the admin (operator) token")
    setting(parser, "--tokens-dir", "INFLUX_TOKENS_DIR", "data/tokens", "DIR for token files", convert=Path)
    setting(parser, "--username", "INFLUXDB_USERNAME", "admin", "admin user of a fresh server", convert=name)
    setting(parser, "--password-file", "INFLUXDB_PASSWORD_FILE", "", "file of its password; generated without")


def add_declared(parser: argparse.ArgumentParser) -> None:
    setting(parser, "--org", "INFLUX_ORG", "pulso", "organization", convert=name)
    setting(parser, "--bucket", "INFLUX_BUCKET", EVENTS, "bucket of the events", convert=name)
    setting(parser, "--retention", "INFLUX_RETENTION", "0", "how long: 365d, 36h; 0 for ever", convert=retention)
    setting(parser, "--rollup-bucket", "INFLUX_ROLLUP_BUCKET", ROLLUP, "bucket of the counts by minute", convert=name)
    setting(parser, "--rollup-retention", "INFLUX_ROLLUP_RETENTION", "0", "how long", convert=retention)
    setting(parser, "--ops-bucket", "INFLUX_OPS_BUCKET", OPS, "bucket of Telegraf's metrics", convert=name)
    setting(parser, "--ops-retention", "INFLUX_OPS_RETENTION", "30d", "how long", convert=retention)


def setting(
    parser: argparse.ArgumentParser,
    option: str,
    variable: str,
    default: str,
    what: str,
    *,
    convert: Callable[[str], object] = str,
) -> None:
    """An option with an environment variable; a variable set to nothing counts as not set."""
    parser.add_argument(
        option,
        type=convert,
        default=os.environ.get(variable) or default,
        metavar=METAVARS[convert],
        help=f"{what} [{variable}, default {default or 'none'}]",
    )


def http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address like http://127.0.0.1:8086")
    return text.rstrip("/")


def name(text: str) -> str:
    # InfluxDB keeps names that start with _ for itself and refuses quotes.
    if not text.strip() or text.startswith("_") or '"' in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a name InfluxDB takes")
    return text


def token_group(text: str) -> tuple[str, int]:
    token, _, gid = text.partition("=")
    if not token or not (gid.isascii() and gid.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not like grafana=472, a token's name and a group's number")
    return token, int(gid)


def retention(text: str) -> int:
    try:
        seconds = durations.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if seconds != FOR_EVER and seconds < MIN_RETENTION_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is too short: InfluxDB takes 1h or more, or 0 for ever")
    return seconds


METAVARS: Mapping[Callable[[str], object], str] = {
    http_url: "URL",
    name: "NAME",
    retention: "DURATION",
    Path: "DIR",
    str: "FILE",
}
