"""``ingest dead-letters``: see what InfluxDB refused, send it again, or let it go."""

import argparse
import sqlite3
import sys
import time

import msgspec

from ingest.line_protocol import MEASUREMENT
from ingest.spool import dead_letter
from ingest.spool import rows as spool_rows
from ingest.spool.changes import Append, Blob, joined
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.visit import add_arguments, changing, folders_of, listed, looking
from ingest.sqlite import transaction

_PAGE = 1000
# As the service makes them, for a row is sent as a whole.
_ROW_BYTES = 1_000_000
_EVENT = MEASUREMENT.encode() + b","
_REPLAYED = "are in the spool again; a running service ships them within a second"
_PURGED = "are forgotten"
_EXAMPLES = """examples:
  ingest dead-letters list --json | jq -r .reason | sort | uniq -c
  ingest dead-letters replay       after the cause is mended: back into the spool; a running service ships them
  ingest dead-letters purge --yes  forget them for ever"""


class _Shown(msgspec.Struct, frozen=True):
    id: int
    time_ms: int
    reason: str
    line: str


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its three actions."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "dead-letters", help="lines that InfluxDB refused", description=__doc__, epilog=_EXAMPLES, formatter_class=shape
    )
    add_arguments(parser, ("list", "replay", "purge"))
    parser.add_argument("--json", action="store_true", help="list: a JSON object a line")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.action == "purge" and not options.yes:
        print("ingest: purge forgets the lines for ever; say --yes if that is meant", file=sys.stderr)
        return 2
    folders = folders_of(options.data_dir)
    if options.action == "list":
        for folder in folders:
            with looking(folder, "dead_letters") as connection:
                _list(connection, as_json=options.json)
        return 0
    change, told = (_replay, _REPLAYED) if options.action == "replay" else (_purge, _PURGED)
    changed = 0
    for folder in folders:
        with changing(folder) as connection:
            changed += change(connection)
    print(f"{changed} lines {told}")
    return 0


def _list(connection: sqlite3.Connection | None, *, as_json: bool) -> None:
    after_id = 0
    while connection and (letters := dead_letter.select(connection, after_id=after_id, limit=_PAGE)):
        for letter in letters:
            print(_as_json(letter) if as_json else listed(letter.time_ms, letter.reason, letter.line))
        after_id = letters[-1].id


def _replay(connection: sqlite3.Connection) -> int:
    """How many lines are in the spool again."""
    replayed = 0
    # A running service may refuse them again at once; those have newer ids and wait for the next replay.
    last_id = dead_letter.last_id(connection)
    while letters := dead_letter.select(connection, up_to_id=last_id, limit=_PAGE):
        again = Append([_blob(letter) for letter in letters], time.time_ns() // 1_000_000)
        with transaction(connection):
            for row in joined([again], _PAGE, _ROW_BYTES):
                spool_rows.insert(connection, row)
            dead_letter.delete(connection, letters)
        replayed += len(letters)
    return replayed


def _blob(letter: DeadLetter) -> Blob:
    line = letter.line.removesuffix(b"\n") + b"\n"
    return Blob(line, 1, are_events=line.startswith(_EVENT))


def _purge(connection: sqlite3.Connection) -> int:
    """How many lines are forgotten."""
    purged = 0
    while letters := dead_letter.select(connection, limit=_PAGE):
        with transaction(connection):
            dead_letter.delete(connection, letters)
        purged += len(letters)
    return purged


def _as_json(letter: DeadLetter) -> str:
    line = letter.line.removesuffix(b"\n").decode(errors="replace")
    return msgspec.json.encode(_Shown(letter.id, letter.time_ms, letter.reason, line)).decode()
