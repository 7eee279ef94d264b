"""``loadgen replay``: from its options to its exit code."""

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from loadgen.access import BadAccessError
from loadgen.commands import INTERRUPTED, NOT_ALL, OK, fail, in_loop
from loadgen.delivery.deliver import AwayError, Ending, deliver
from loadgen.delivery.options import service
from loadgen.replay.feed import Feed
from loadgen.replay.files import STDIN, NoFilesError, groups
from loadgen.replay.order import watched
from loadgen.replay.pace import Pace
from loadgen.replay.problems import Problems
from loadgen.replay.recording import Recording, shifted
from loadgen.replay.replay import Count, Replay
from loadgen.standing import reporter

NEWEST_FIRST = (
    "the timestamps go backwards: what is older than the first event is sent at once, whatever the --speed, and --now "
    "puts it in the past. If the newest come first, as /get_data gives them, turn them round: "
    "tac FILE | loadgen replay -"
)


def replay_command(options: Namespace) -> int:
    problems = Problems()
    started = time.monotonic()
    try:
        files = groups(options.files)
        count, ending = in_loop(_replay(options, files, problems))
    except (NoFilesError, BadAccessError) as error:
        return fail("replay", str(error))
    except AwayError as reason:
        return fail("replay", f"nobody answers at {options.url}: {reason}. Start the service, or name it with --url")
    print("\n".join(_lines(count, ending, problems, time.monotonic() - started)))
    if ending.interrupted:
        return INTERRUPTED
    return NOT_ALL if ending.failure or problems.any else OK


async def _replay(options: Namespace, files: Sequence[Sequence[Path]], problems: Problems) -> tuple[Count, Ending]:
    reporting = reporter(Console(stderr=True), quiet=options.quiet)
    recording = Recording(files, problems)
    lines = recording.lines()
    if options.speed or options.now:
        lines = watched(lines, lambda: reporting.tell(NEWEST_FIRST))
    if options.now:
        lines = shifted(lines, _now_ms)
    replay = Replay(recording, Feed(lines), Pace(options.speed), problems, _total_bytes(files))
    ending = await deliver(replay, service(options), reporting)
    return replay.count, ending


def _total_bytes(groups: Sequence[Sequence[Path]]) -> int | None:
    files = [file for group in groups for file in group]
    return None if STDIN in files else sum(file.stat().st_size for file in files if file.is_file())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _lines(count: Count, ending: Ending, problems: Problems, seconds: float) -> Iterator[str]:
    if ending.failure:
        yield f"given up: {ending.failure}"
    yield f"{'read':<10}{count.read:,} events"
    yield f"{'sent':<10}{count.sent:,} in {count.requests:,} requests"
    yield f"{'acked':<10}{count.acked:,}{' (all)' if count.acked == count.read and not problems.any else ''}"
    yield f"{'rejected':<10}{problems.rejected:,}"
    yield from (f"{'':<10}{reason}" for reason in problems.reasons())
    if count.sent > count.answered:
        yield f"{'unknown':<10}{count.sent - count.answered:,} stopped before the answer"
    if problems.bad:
        yield f"{'bad':<10}{problems.bad:,} (lines that are no events, not sent)"
    if problems.broken:
        yield f"{'broken':<10}{problems.broken:,} (files not read to their end)"
    if problems.torn:
        yield f"{'torn':<10}{problems.torn:,} (last lines without an end, not sent)"
    yield from (f"  {name}" for name in problems.named())
    if ending.retries:
        yield f"{'repeated':<10}{ending.retries:,} requests that had failed"
    yield f"{'rate':<10}{count.acked / seconds if seconds else 0:,.0f} events/s, {seconds:.1f} s"
