"""What InfluxDB, or what stands before it, can answer in the place of a 204; a scripted proxy says it."""

import asyncio
import gzip
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

from tests.faults.faults.fault import INFLUX, Fault, Strike
from tests.faults.scene import Scene
from tests.ingest.influx_proxy import Blurt, PassAndForget, PassLate, Rule, Say, Step

_LONGEST_SECONDS = 2.0
_RETRY_AFTER_SECONDS = 2
_HTML = "<html><body>Bad Gateway — é</body></html>"

_BUSY = (Say(500), Say(502, _HTML), Say(504, _HTML), Say(503, ""), Say(429, "[1, 2]"), Say(408))
_BLOCKED = (Say(401), Say(403), Say(404, '{"code":"not found","message":"bucket not found"}'), Say(418))
_ELSEWHERE = (Say(307, headers={"Location": "/elsewhere"}), Say(302, headers={"Location": "/"}), Say(200, _HTML))
_HALF = (
    Blurt(b"HTTP/1.1 20", stores=True),
    Blurt(b"HTTP/1.1 204 No Content\r\nX-Infl", stores=True),
    Blurt(b'HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\n{"code":"un'),
    Blurt(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"),
    Blurt(b'HTTP/1.1 400 Bad\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{"code":"inva'),
)
_RUBBISH = (
    Blurt(b"\x00\xff\xfe no HTTP at all\r\n\r\n"),
    Blurt(b"HTTP/1.1 999 \r\n\r\n"),
    Blurt(b"HTTP/1.1 503 Busy\r\nContent-Length: -1\r\n\r\n"),
    Blurt(b"HTTP/1.1 503 Busy\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"),
    Blurt(b"HTTP/1.1 500 Oh\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\nno gzip!"),
    Blurt(b"HTTP/1.1 503 Busy\r\nContent-Type: application/json; charset=nope\r\nContent-Length: 2\r\n\r\n\xff\xfe"),
    Blurt(b"HTTP/1.1 503 Busy\r\nRetry-After: \xff\xfe\r\nContent-Length: 0\r\n\r\n"),
    Blurt(b"HTTP/1.1 503 Busy\r\nRetry-After: Fri, 99 Foo 99999 99:99:99 GMT\r\nContent-Length: 0\r\n\r\n"),
    Blurt(b"HTTP/1.1 500 Oh\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{" * 100_000)),
    Blurt(b"HTTP/1.1 204 No Content\r\nSet-Cookie: \x01\x02=;;;\r\n\r\n", stores=True),
)
# The service under test gives up after a second.
_SLOW = (PassLate(1.5), PassLate(3.0), PassLate(30.0), Say(204, delay_seconds=1.5), Say(503, delay_seconds=30.0))


def _any_of(steps: Sequence[Step]) -> Strike:
    """Every request, be it a write or a query, gets one of ``steps`` or passes."""

    async def strike(scene: Scene, random: Random) -> None:
        answers = Random(random.random())

        def rule(_: str, __: bytes) -> Step | None:
            return answers.choice((*steps, None))

        async with ruled(scene, rule):
            await asyncio.sleep(random.uniform(0.5, _LONGEST_SECONDS))

    return strike


def _comes_back_too_early(status: int) -> Strike:
    """Says Retry-After to every write of events or of counts, and remembers to which."""

    async def strike(scene: Scene, random: Random) -> None:
        told_at: dict[object, float] = {}
        says_it_of_counts = random.random() < 0.5

        def rule(path: str, body: bytes) -> Step | None:
            of_counts = f"bucket={scene.behind.bucket}-rollup" in path
            if "/write" not in path or of_counts is not says_it_of_counts:
                return None
            # A recount is never sent again as it was; there is one at a time.
            what = "counts" if of_counts else body
            waited = time.monotonic() - told_at.get(what, -math.inf)
            if waited < _RETRY_AFTER_SECONDS:
                scene.strange.append(f"{path} came again after {waited:.2f} s, told to wait {_RETRY_AFTER_SECONDS} s")
            told_at[what] = time.monotonic()
            return Say(status, headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})

        async with ruled(scene, rule):
            await asyncio.sleep(random.uniform(1.5, 2.5) * _RETRY_AFTER_SECONDS)
        if not told_at:
            scene.strange.append("nothing was written while Retry-After was said")

    return strike


async def _away(scene: Scene, random: Random) -> None:
    scene.behind.proxy.away = True
    try:
        await asyncio.sleep(random.uniform(0.5, _LONGEST_SECONDS))
    finally:
        scene.behind.proxy.away = False


async def _late_though_killed(scene: Scene, random: Random) -> None:
    """Counts that InfluxDB writes long after they were sent, by a service that was killed meanwhile."""

    def rule(path: str, _: bytes) -> Step | None:
        return PassLate(2.5) if f"{scene.behind.bucket}-rollup" in path and "/write" in path else None

    async with ruled(scene, rule):
        await asyncio.sleep(random.uniform(0.5, 0.9))
        await asyncio.to_thread(scene.service.kill)
    await asyncio.to_thread(scene.service.start)


@asynccontextmanager
async def ruled(scene: Scene, rule: Rule) -> AsyncIterator[None]:
    scene.behind.proxy.rule = rule
    try:
        yield
    finally:
        scene.behind.proxy.rule = None


_STRIKES: dict[str, Strike] = {
    "away": _away,
    "busy": _any_of(_BUSY),
    "blocked": _any_of(_BLOCKED),
    "elsewhere": _any_of(_ELSEWHERE),
    "half-answer": _any_of(_HALF),
    "rubbish": _any_of(_RUBBISH),
    "answer-lost": _any_of((PassAndForget(),)),
    "slow": _any_of(_SLOW),
    "429": _comes_back_too_early(429),
    "503": _comes_back_too_early(503),
    "late-though-killed": _late_though_killed,
}
FAULTS = tuple(Fault(name=f"influx-{name}", strike=strike, stores=(INFLUX,)) for name, strike in _STRIKES.items())
