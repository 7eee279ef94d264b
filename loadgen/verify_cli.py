"""``loadgen verify``: from its options to its exit code."""

from argparse import Namespace

from rich.console import Console

from loadgen.access import BadAccessError, access_of
from loadgen.commands import NOT_ALL, OK, fail, in_loop
from loadgen.readback import CannotReadError
from loadgen.results import UnreadableError, read
from loadgen.standing import reporter
from loadgen.verify import OtherEventsError, text, verify


def verify_command(options: Namespace) -> int:
    try:
        access = access_of(options)
        record = read(options.results)
        url = options.url or record.plan.url
        with reporter(Console(stderr=True)) as reporting:
            findings = in_loop(verify(record, url, options.wait, reporting.report, access))
    except (BadAccessError, UnreadableError, CannotReadError, OtherEventsError) as error:
        return fail("verify", str(error))
    if not record.finished:
        print("the run did not end by itself: its last second is not checked")
    print(text(findings))
    return OK if findings.good else NOT_ALL
