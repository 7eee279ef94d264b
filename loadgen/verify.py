"""Verify: is every acked event of a run stored exactly once, with its value and status?"""

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic

import aiohttp

from loadgen.access import OPEN, Access
from loadgen.compare import Comparison, Findings, Named
from loadgen.readback import stored
from loadgen.results import Record
from loadgen.sensors import EVENTS_VERSION
from loadgen.standing import Standing
from loadgen.windows import Window, windows

POLL_SECONDS = 0.5

Report = Callable[[Standing], None]


class OtherEventsError(Exception):
    """The run sent other events than its plan makes now."""


async def verify(
    record: Record, url: str, wait_seconds: float, report: Report = lambda _: None, access: Access = OPEN
) -> Findings:
    """Compare, and look again for up to ``wait_seconds`` in all while something is amiss.

    ``report`` hears after every look how far it is. Raises CannotReadError and OtherEventsError.
    """
    if record.events_version != EVENTS_VERSION:
        raise OtherEventsError("another version of loadgen made this run's events; verify it with that one")
    started = monotonic()
    findings = Findings()
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
    connector = aiohttp.TCPConnector(ssl=access.context())
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, headers=access.headers) as session:
        for window in windows(record):
            while True:
                found = await _compare(session, url, window)
                seconds = monotonic() - started
                report(_standing(record, findings, found, seconds))
                if found.good or seconds >= wait_seconds:
                    break
                await asyncio.sleep(POLL_SECONDS)
            findings.add(found)
    return findings


async def _compare(session: aiohttp.ClientSession, url: str, window: Window) -> Findings:
    comparison = Comparison(window)
    async for row in stored(session, url, window.start_ms, window.stop_ms):
        comparison.see(row)
    return comparison.findings()


def _standing(record: Record, before: Findings, found: Findings, seconds: float) -> Standing:
    total = record.summary.acked if record.summary else record.requests * record.plan.batch
    done = before.acked + before.acked_again + found.verified
    verified, missing = before.verified + found.verified, before.missing.count + found.missing.count
    return Standing(int(seconds), done, total, f"{verified:,} verified, {missing:,} missing")


def text(findings: Findings) -> str:
    return "\n".join(_lines(findings))


def _lines(findings: Findings) -> Iterator[str]:
    yield f"{'verified' if findings.good else 'NOT VERIFIED'}: {findings.verified:,} of {findings.acked:,} acked events"
    for title, named in (("missing", findings.missing), ("twice", findings.twice), ("altered", findings.altered)):
        yield from _named(title, named)
    if findings.repeated:
        yield f"repeated on purpose: {findings.repeated:,} ({findings.acked_again:,} acked again); each counts once"
    yield from _counted("stored, though never acked (their request failed)", findings.unacked)
    yield from _counted("stored, though rejected", findings.refused)
    yield from _counted("foreign: in the same time, but not of this run", findings.foreign)


def _named(title: str, named: Named) -> Iterator[str]:
    if named.count:
        yield f"{title}: {named.count:,}"
        yield from (f"  {example}" for example in named.examples)
    if named.count > len(named.examples):
        yield f"  … and {named.count - len(named.examples):,} more"


def _counted(title: str, count: int) -> Iterator[str]:
    if count:
        yield f"{title}: {count:,}"
