"""``ingest damaged-rows``: see the rows of the spool that the disk altered, or let them go."""

import argparse
import sys
from pathlib import Path

from ingest.spool import damaged_rows
from ingest.spool.visit import add_arguments, changing, folders_of, listed, looking

_PAGE = 100
_EXAMPLES = """examples:
  ingest damaged-rows list         the lines as the disk gave them back: most are right, and nobody knows which
  ingest damaged-rows purge --yes  when they have been sent again, by their senders or from the archive"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its two actions."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(
        "damaged-rows",
        help="rows that the disk altered",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=shape,
    )
    add_arguments(parser, ("list", "purge"))
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.action == "purge" and not options.yes:
        print("ingest: purge forgets the rows for ever; say --yes if that is meant", file=sys.stderr)
        return 2
    purged = 0
    for folder in folders_of(options.data_dir):
        if options.action == "list":
            _list(folder)
        else:
            with changing(folder) as connection:
                purged += damaged_rows.delete_all(connection)
    if options.action == "purge":
        print(f"{purged} rows are forgotten")
    return 0


def _list(folder: Path) -> None:
    with looking(folder, "damaged_rows") as connection:
        after_id = 0
        while connection and (rows := damaged_rows.select(connection, after_id, _PAGE)):
            for row in rows:
                print(listed(row.found_ms, row.reason, row.lines))
            after_id = rows[-1].id
