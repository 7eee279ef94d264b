"""``loadgen report`` on the command line: its options and its help."""

from argparse import ArgumentParser
from pathlib import Path

REPORT = """\
Show what runs measured, from their results files; several are compared with the first. An unfinished run is shown as
far as its file goes.
"""

REPORT_MORE = """\
examples:
  loadgen report run.jsonl
  loadgen report before.jsonl after.jsonl --html both.html    with plots, offline
  loadgen report before.jsonl after.jsonl --json              for scripts

exit codes: 0 shown; 2 the command line is wrong, a file can't be read or the HTML can't be written.
"""


def add_report(command: ArgumentParser) -> None:
    add = command.add_argument
    add("files", type=Path, nargs="+", metavar="FILE", help="what loadgen run --results wrote")
    add("--html", type=Path, metavar="FILE", help="also write the report with plots as one HTML file")
    add("--json", action="store_true", help="print JSON instead of tables")
