"""A run: load, faults that strike at random moments, recovery, and the oracle's look at what is stored."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import msgspec

from tests.faults import scan
from tests.faults.faults.fault import EMBEDDED, Fault
from tests.faults.history import History
from tests.faults.oracle import Verdict, compare_counts, counted, judge
from tests.faults.scan import Row
from tests.faults.scene import NotLiveError, Scene, influx_side, service_in
from tests.faults.senders import sending
from tools.influx_server import Influxd, InfluxServer

LIVE_AGAIN_SECONDS = 60.0
_SETTLE_SECONDS = 90.0
_COUNTED_SECONDS = 30.0
_POLL_SECONDS = 0.2
_CALM_ACKS = 200
# The readings lie an hour back, so that none of a long run comes to lie in the future.
_AGO_MS = 3_600_000
_ERRORS = ("error", "critical")

Told = Callable[[str], None]


class Outcome(msgspec.Struct):
    """What came of a run."""

    strikes: int = 0
    sent: int = 0
    acked: int = 0
    stored: int = 0
    dead: int = 0
    """Dead letters, all of which were accounted for."""
    recovery_seconds: float = 0.0
    """The longest."""
    verdict: Verdict = msgspec.field(default_factory=Verdict)


class Influx(msgspec.Struct, frozen=True):
    """An InfluxDB of our own, which faults may stop and kill."""

    influxd: Influxd
    server: InfluxServer


async def run(
    faults: Sequence[Fault],
    store: str,
    influx: Influx,
    seed: int,
    *,
    strikes_each: int = 1,
    told: Told = lambda _: None,
) -> Outcome:
    """Let ``faults`` strike, in random order, and judge. ``told`` hears what is going on."""
    random = Random(seed)
    outcome = Outcome()
    strikes = [*faults] * strikes_each
    random.shuffle(strikes)
    async with _scene(faults, store, influx) as scene:
        async with sending(scene.service.url, random, scene.first_ms, scene.history):
            for fault in strikes:
                told(fault.name)
                await scene.acks(random.randrange(_CALM_ACKS))
                await _strike(fault, scene, random, outcome)
        told("the oracle")
        await _settle(scene)
        await asyncio.to_thread(_judge, faults, scene, outcome)
        await _stop(scene, outcome.verdict)
        _read_log(faults, scene, outcome.verdict)
    return outcome


@asynccontextmanager
async def _scene(faults: Sequence[Fault], store: str, influx: Influx) -> AsyncIterator[Scene]:
    options = [option for fault in faults for option in fault.options]
    variables = {name: value for fault in faults for name, value in fault.variables.items()}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulso-faults-")))
        side = None
        if store != EMBEDDED:
            side = await stack.enter_async_context(influx_side(influx.influxd, influx.server))
        service = service_in(folder, side, options, variables)
        stack.callback(service.end)
        await asyncio.to_thread(service.start)
        yield Scene(service, History(), time.time_ns() // 1_000_000 - _AGO_MS, side)


async def _strike(fault: Fault, scene: Scene, random: Random, outcome: Outcome) -> None:
    outcome.strikes += 1
    await fault.strike(scene, random)
    if not scene.service.is_alive:
        scene.strange.append(f"{fault.name}: the service has ended by itself: {scene.service.log[-3:]}")
        await asyncio.to_thread(scene.service.start)
    try:
        recovery_seconds = await scene.live_again(LIVE_AGAIN_SECONDS)
    except NotLiveError as error:
        scene.strange.append(f"{fault.name}: {error}")
        recovery_seconds = LIVE_AGAIN_SECONDS
    outcome.recovery_seconds = max(outcome.recovery_seconds, recovery_seconds)


async def _settle(scene: Scene) -> None:
    """Wait until nothing waits in the spool any more."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while scene.influx is not None:
        waiting = await asyncio.to_thread(scan.spooled_points, scene.service.folder)
        if not waiting:
            return
        if time.monotonic() > deadline:
            scene.strange.append(f"after {_SETTLE_SECONDS:g} s {waiting} points still wait in the spool")
            return
        await asyncio.sleep(_POLL_SECONDS)


def _judge(faults: Sequence[Fault], scene: Scene, outcome: Outcome) -> None:
    rows, miscounted = _rows_and_counts(scene)
    may_die = next((fault.may_die for fault in faults if fault.may_die is not None), None)
    dead = scan.deaths(scene.service.folder) if scene.influx else []
    outcome.verdict = judge(scene.history, rows, dead, may_die)
    outcome.verdict.miscounted = miscounted
    outcome.sent, outcome.acked = len(scene.history.sent), len(scene.history.acked)
    outcome.stored, outcome.dead = len(rows), len(dead)


def _rows_and_counts(scene: Scene) -> tuple[list[Row], list[str]]:
    """All that is stored, and where /counts does not agree: with InfluxDB it lags a little behind."""
    deadline = time.monotonic() + _COUNTED_SECONDS
    while True:
        rows = _rows(scene)
        miscounted = compare_counts(scan.service_counts(scene.service.url), counted(rows))
        if not miscounted or time.monotonic() > deadline:
            return rows, miscounted
        time.sleep(_POLL_SECONDS)


def _rows(scene: Scene) -> list[Row]:
    if scene.influx is None:
        return list(scan.embedded_rows(scene.service.folder))
    return list(scan.influx_rows(scene.influx.server, scene.influx.bucket))


async def _stop(scene: Scene, verdict: Verdict) -> None:
    code = await asyncio.to_thread(scene.service.stop)
    if code != 0:
        verdict.strange.append(f"in the end the service stopped with the exit code {code}")


def _read_log(faults: Sequence[Fault], scene: Scene, verdict: Verdict) -> None:
    verdict.strange += scene.strange
    said = frozenset[str]().union(*(fault.said for fault in faults))
    for entry in scene.service.log:
        if "text" in entry or (entry["level"] in _ERRORS and entry["event"] not in said) or "exception" in entry:
            verdict.strange.append(f"the log says {entry}")
