"""InfluxDB refuses points for good: dead letters are those lines and no others, and their neighbours are stored."""

import asyncio
import re
import time
from random import Random

from tests.faults import scan
from tests.faults.faults.fault import INFLUX, Fault, Strike
from tests.faults.faults.influx_answers import ruled
from tests.faults.readings import DOOMED
from tests.faults.scene import Scene
from tests.ingest.influx_proxy import Say, Step

MARK = f"sensor={DOOMED.rpartition('.')[2]},".encode()
_REASON = "this sensor is refused here"
_DIES_WITHIN_SECONDS = 30.0
_LARGEST_BYTES = 12_000
# A line ends at a newline that stands in no text.
_LINE = re.compile(rb'(?:[^"\n]|"(?:[^"\\]|\\.)*")+\n', re.DOTALL)


def _doomed(status: int) -> Strike:
    async def strike(scene: Scene, random: Random) -> None:
        async with ruled(scene, lambda path, body: _refuse(status, path, body)):
            before = len(scan.deaths(scene.service.folder))
            deadline = time.monotonic() + _DIES_WITHIN_SECONDS
            while len(scan.deaths(scene.service.folder)) == before:
                if time.monotonic() > deadline:
                    scene.strange.append(f"a {status} made no dead letter within {_DIES_WITHIN_SECONDS:g} s")
                    break
                await asyncio.sleep(random.random())
        new = scan.deaths(scene.service.folder)[before:]
        scene.strange += [f"a dead letter with another reason: {death}" for death in new if _REASON not in death.reason]

    return strike


def _refuse(status: int, path: str, body: bytes) -> Step | None:
    """As InfluxDB does: with 400 nothing is stored, with 422 everything but the lines it counts."""
    lines = _LINE.findall(body)
    # The events alone: of the rollup's lines with that sensor InfluxDB takes every one.
    good = [line for line in lines if not line.startswith(b"events,") or MARK not in line]
    if "/write" not in path or len(good) == len(lines):
        return None
    if status != 422:
        return Say(status, f'{{"code":"invalid","message":"{_REASON}"}}')
    message = f"{_REASON} dropped={len(lines) - len(good)}"
    return Say(status, f'{{"code":"invalid","message":"{message}"}}', stores=b"".join(good))


async def _too_large(scene: Scene, random: Random) -> None:
    """A backlog in large batches, and then a server that takes small ones only."""
    scene.behind.proxy.away = True
    await scene.acks(1000)
    scene.behind.proxy.away = False
    refused: list[int] = []

    def rule(_: str, body: bytes) -> Step | None:
        if len(body) <= _LARGEST_BYTES or len(_LINE.findall(body)) == 1:
            return None
        refused.append(len(body))
        return Say(413, "<html>413 Request Entity Too Large</html>")

    async with ruled(scene, rule):
        await asyncio.sleep(random.uniform(2.0, 4.0))
    if not refused:
        scene.strange.append("no batch was too large")


FAULTS = (
    Fault(name="influx-400", strike=_doomed(400), stores=(INFLUX,), may_die=MARK),
    Fault(name="influx-422", strike=_doomed(422), stores=(INFLUX,), may_die=MARK),
    Fault(name="influx-413", strike=_too_large, stores=(INFLUX,)),
)
