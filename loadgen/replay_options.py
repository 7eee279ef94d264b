"""``loadgen replay`` on the command line: its options and its help."""

from argparse import ArgumentParser
from pathlib import Path

from loadgen import arguments
from loadgen.delivery.options import add_service

REPLAY = """\
Send recorded events again: files of NDJSON, an event a line, plain or .gz; - for standard input; or folders, such as
the archive that ingest serve --archive-dir keeps. Lines are sent as they stand there, in the order of time: in a folder
the files of one name, like processed/2026-11-23T14.ndjson.gz and error/2026-11-23T14.ndjson, are read side by side.
What fails is sent again until it is acked; that is safe, for an event is stored once however often it is sent. Lines
that are no events are counted, named by file and line, and stop nothing; a torn last line of a file that is being
written is passed over. --speed and --now want the oldest event first; tac turns round what GET /get_data gives.
"""

REPLAY_MORE = """\
examples:
  loadgen replay files/                                      the archive, as fast as it goes
  loadgen replay events.ndjson --speed 10                    ten times faster than it was
  loadgen replay events.ndjson --speed 1 --now               as if it happened now
  zcat old/*.gz | loadgen replay -
  tac newest-first.ndjson | loadgen replay - --speed 1       what GET /get_data gave, oldest first

exit codes: 0 all lines acked; 1 some were no events or rejected, a file could not be read to its end, or the service
refused them or was away for too long; 2 the command line is wrong, there is nothing to read, or nobody listens at
--url; 130 interrupted.
"""


def add_replay(command: ArgumentParser) -> None:
    add = command.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="a file, a folder, or - for standard input")
    add(
        "--speed",
        type=arguments.speed,
        default="max",
        help="how many times faster than the events happened; max or 0 = as fast as it goes",
    )
    add(
        "--now",
        action="store_true",
        help="shift all timestamps so that the first event is now; at a speed over 1 they then run ahead of the clock, "
        "and ingest takes them up to a day ahead",
    )
    add_service(command)
