"""A run: load, faults that strike at random moments, recovery, and the oracle's look at what is stored."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random

import msgspec

from tests.faults import scan
from tests.faults.faults.fault import EMBEDDED, Fault
from tests.faults.history import History
from tests.faults.oracle import Verdict, judge, miscounted
from tests.faults.plans import Plan
from tests.faults.scan import Minute, Row
from tests.faults.scene import NotLiveError, Scene, influx_side, service_in
from tests.faults.senders import sending
from tools.influx_server import Influxd, InfluxServer

LIVE_AGAIN_SECONDS = 60.0
_SETTLE_SECONDS = 90.0
_COUNTED_SECONDS = 120.0
_POLL_SECONDS = 0.2
_CALM_ACKS = 200
# The readings' time goes by much faster than ours, and must not come to lie in the future.
_AGO_MS = 30 * 24 * 3_600_000
_ERRORS = ("error", "critical")

Tells = Callable[[str], None]


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


async def run(plan: Plan, influx: Influx, seed: int, tells: Tells = lambda _: None) -> Outcome:
    """Let the faults strike, and judge. ``tells`` hears what is going on."""
    random, outcome = Random(seed), Outcome()
    strikes = plan.faults * plan.strikes_each
    random.shuffle(strikes)
    async with _scene(plan, influx) as scene:
        async with sending(scene.service.url, random, scene.first_ms, scene.history):
            for number, fault in enumerate(strikes, 1):
                tells(f"{fault.name}, {number} of {len(strikes)}")
                await scene.acks(random.randrange(_CALM_ACKS))
                await _strike(fault, scene, random, outcome)
        tells("the oracle")
        await _settle(scene)
        await asyncio.to_thread(_judge, plan.faults, scene, outcome)
        await _stop(scene, outcome.verdict)
        _read_log(plan.faults, scene, outcome.verdict)
    return outcome


@asynccontextmanager
async def _scene(plan: Plan, influx: Influx) -> AsyncIterator[Scene]:
    options = [option for fault in plan.faults for option in fault.options]
    variables = {name: value for fault in plan.faults for name, value in fault.variables.items()}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pulso-faults-")))
        side = None
        if plan.store != EMBEDDED:
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
    rows, wrong_counts = _rows_and_counts(scene)
    may_die = next((fault.may_die for fault in faults if fault.may_die is not None), None)
    dead = scan.deaths(scene.service.folder) if scene.influx else []
    outcome.verdict = judge(scene.history, rows, dead, may_die)
    outcome.verdict.miscounted = wrong_counts
    outcome.sent, outcome.acked = len(scene.history.sent), len(scene.history.acked)
    outcome.stored, outcome.dead = len(rows), len(dead)


def _rows_and_counts(scene: Scene) -> tuple[list[Row], list[str]]:
    """All that is stored, and where the counts do not agree: with InfluxDB they lag a little behind."""
    deadline = time.monotonic() + _COUNTED_SECONDS
    while True:
        rows, minutes = _rows_and_minutes(scene)
        wrong = miscounted(rows, minutes, scan.service_counts(scene.service.url))
        if not wrong or time.monotonic() > deadline:
            return rows, wrong
        time.sleep(_POLL_SECONDS)


def _rows_and_minutes(scene: Scene) -> tuple[list[Row], Mapping[Minute, int]]:
    if scene.influx is None:
        folder = scene.service.folder
        return list(scan.embedded_rows(folder)), scan.embedded_minutes(folder)
    server, bucket = scene.influx.server, scene.influx.bucket
    return list(scan.influx_rows(server, bucket)), scan.influx_minutes(server, f"{bucket}-rollup")


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
