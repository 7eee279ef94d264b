"""``loadgen report``: from its options to its exit code."""

from argparse import Namespace

from rich.console import Console

from loadgen.commands import OK, fail
from loadgen.report import table
from loadgen.report.page import page
from loadgen.report.report import Report
from loadgen.report.run import load
from loadgen.results import UnreadableError


def report_command(options: Namespace) -> int:
    try:
        report = Report.of(load(options.files))
    except UnreadableError as error:
        return fail("report", str(error))
    try:
        if options.html:
            options.html.write_text(page(report), encoding="utf-8")
    except OSError as error:
        return fail("report", f"{options.html} can't be written: {error.strerror}. Name another --html file")
    if options.json:
        print(report.json())
    else:
        table.show(Console(), report)
    return OK
