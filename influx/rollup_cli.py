"""`python -m influx rollup`: the command line."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from influx.buckets import find, retention_seconds
from influx.connection import Access, connected
from influx.declared import EVENTS, FOR_EVER, ROLLUP
from influx.errors import NotApplied, Refused
from influx.options import http_url, name, needed_secret, setting
from influx.progress import Progress
from influx.rollup import Rebuild
from influx.tokens import TokenFolder
from ingest.errors import StoreUnavailable
from ingest.event import MAX_TIMESTAMP_MS
from ingest.influxql import InfluxQL
from ingest.minutes import HOUR_MS
from ingest.point_writer import InfluxAddress, PointWriter
from ingest.rollup.recount import Recount
from ingest.times import parse_time_ms

TIMEOUT_SECONDS = 120.0

DESCRIPTION = """\
Count the events of a range of time again, by minute and hour, and write the rollup anew. Needed once for events that
were stored before there was a rollup, and after events were written to or deleted from InfluxDB without ingest.
It is right whether or not a service runs and events arrive, for which it waits at the end until the current minute is
over; to say it twice changes nothing. What lies in the future is left to the service, and counts of events that are
beyond the bucket's retention stay as they are."""

EPILOG = """\
examples:
  python -m influx rollup                                                   everything, the newest hours first
  python -m influx rollup --start 2026-11-01 --stop 2026-11-02
  python -m influx rollup --start 2026-11-23T14:00-03:00 --tokens-dir /run/tokens

token, the first that is given:
  --token-file, INFLUXDB_TOKEN_FILE, INFLUXDB_TOKEN, DIR/ingest.token with DIR/ingest-read.token.

exit codes: 0 counted, 1 could not, 2 usage error, 130 interrupted (what was counted stays)."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``rollup``."""
    command = commands.add_parser(
        "rollup",
        help="count the events of a range of time again",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    when = "Unix ms or ISO 8601, UTC if it names no zone"
    command.add_argument("--start", type=time_ms, default=0, metavar="TIME", help=f"from when [{when}; default all]")
    command.add_argument(
        "--stop", type=time_ms, default=MAX_TIMESTAMP_MS, metavar="TIME", help="until when, whole hours [default all]"
    )
    setting(command, "--url", "INFLUXDB_URL", "http://127.0.0.1:8086", "InfluxDB's address", convert=http_url)
    setting(command, "--org", "INFLUX_ORG", "pulso", "organization", convert=name)
    setting(command, "--bucket", "INFLUX_BUCKET", EVENTS, "bucket of the events", convert=name)
    setting(command, "--rollup-bucket", "INFLUX_ROLLUP_BUCKET", ROLLUP, "bucket of the counts", convert=name)
    setting(command, "--token-file", "INFLUXDB_TOKEN_FILE", "", "file of a token for both buckets")
    setting(command, "--tokens-dir", "INFLUX_TOKENS_DIR", "data/tokens", "DIR of token files", convert=Path)
    command.set_defaults(run=run, parser=command)


def run(given: argparse.Namespace) -> int:
    if given.start >= given.stop:
        given.parser.error("--start must be before --stop")
    try:
        asyncio.run(_rebuild(given))
    except (NotApplied, StoreUnavailable) as error:
        print(f"influx rollup: {error}", file=sys.stderr)
        return 1
    return 0


def time_ms(text: str) -> int:
    try:
        return min(max(parse_time_ms(text), 0), MAX_TIMESTAMP_MS)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither Unix milliseconds nor a time like 2026-11-23T14:00:00Z"
        ) from None


async def _rebuild(given: argparse.Namespace) -> None:
    read_token, write_token = _tokens(given)
    start_ms = max(given.start, await _kept_since_ms(given, read_token))
    progress = Progress()
    async with _prepared(given, read_token, write_token) as rebuild:
        async for hour in rebuild.run(start_ms, given.stop):
            progress.add(hour)
    progress.end()


async def _kept_since_ms(given: argparse.Namespace, read_token: str) -> int:
    """From when on every event is still there: what InfluxDB let go must not take its counts along."""
    async with connected(Access(given.url, read_token, "the token that reads")) as client:
        buckets = [(wanted, await find(client, given.org, wanted)) for wanted in (given.bucket, given.rollup_bucket)]
    missing = [wanted for wanted, bucket in buckets if bucket is None]
    if missing:
        raise Refused(
            f"InfluxDB at {given.url} has no bucket {missing[0]}, or the token may not read it: "
            "`python -m influx apply` makes it."
        )
    seconds = next(retention_seconds(bucket) for _, bucket in buckets if bucket is not None)
    if seconds == FOR_EVER:
        return 0
    oldest_ms = (int(time.time()) - seconds) * 1000
    return oldest_ms - oldest_ms % HOUR_MS + HOUR_MS


@asynccontextmanager
async def _prepared(given: argparse.Namespace, read_token: str, write_token: str) -> AsyncIterator[Rebuild]:
    events, rollup = (
        InfluxAddress(given.url, given.org, bucket, read_token) for bucket in (given.bucket, given.rollup_bucket)
    )
    async with AsyncExitStack() as stack:
        readers = InfluxQL(events, TIMEOUT_SECONDS), InfluxQL(rollup, TIMEOUT_SECONDS)
        for reader in readers:
            stack.push_async_callback(reader.close)
        target = replace(rollup, token=write_token)
        writer = PointWriter(target, connections=1, timeout_seconds=TIMEOUT_SECONDS, gzip=False)
        await stack.enter_async_context(writer)
        yield Rebuild(*readers, Recount(*readers, writer))


def _tokens(given: argparse.Namespace) -> tuple[str, str]:
    """What reads and what writes. Raises Refused."""
    if given.token_file or os.environ.get("INFLUXDB_TOKEN"):
        one = needed_secret(given.token_file) if given.token_file else os.environ["INFLUXDB_TOKEN"].strip()
        return one, one
    folder = TokenFolder(given.tokens_dir)
    tokens = folder.read("ingest-read"), folder.read("ingest")
    if not all(tokens):
        raise Refused(f"There is no {folder.file('ingest')}: name its folder with --tokens-dir, or a --token-file.")
    return tokens[0] or "", tokens[1] or ""
