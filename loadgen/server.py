"""The generator as a service: ``GET /generate/100`` posts 100 random events to ingest; ``GET /health`` answers."""

import asyncio
import secrets
import time

import msgspec
from aiohttp import web

from loadgen.connection import Connection, NoAnswerError
from loadgen.plan import Plan
from loadgen.progress import Silence
from loadgen.results import ResultsWriter, Summary
from loadgen.run import run
from loadgen.sensors.profiles import STEADY
from loadgen.target import Target

MOST_EVENTS = 100_000
LONGEST_SECONDS = 60
CONNECT_SECONDS = 5
SENSORS = 100


class Generated(msgspec.Struct, frozen=True):
    """The answer: ``failed`` counts all events that were sent but not acked."""

    sent: int
    acked: int
    failed: int
    seconds: float
    errors: dict[str, int]


class Generator:
    def __init__(self, target_url: str, profile: str) -> None:
        self._target_url = target_url
        self._profile = profile
        self._next_start_ms = 0

    async def generate(self, request: web.Request) -> web.Response:
        count = _count(request.match_info["count"])
        if count is None:
            path = request.path
            return _problem(400, f"{path}: ask for 1 to {MOST_EVENTS} events, for example /generate/100")
        refusal = await _refusal(Target.parse(self._target_url))
        if refusal:
            return _problem(502, f"ingest at {self._target_url} is away: {refusal}")
        summary = await self._post(count)
        if not summary.acked and not summary.rejected:
            return _problem(502, f"ingest at {self._target_url} took nothing: {', '.join(summary.errors)}")
        return _json(200, _generated(summary))

    async def _post(self, count: int) -> Summary:
        plan = Plan(
            url=self._target_url,
            rate=0,
            sensors=SENSORS,
            profile=self._profile,
            seed=secrets.randbits(32),
            start_ms=self._reserve_ms(count),
            duration_seconds=LONGEST_SECONDS,
            events=count,
            connections=min(count, 100),
        )
        return await run(plan, ResultsWriter(None), Silence(), asyncio.Event())

    def _reserve_ms(self, count: int) -> int:
        """A start whose milliseconds no earlier call has used, so that no two events share sensor and time."""
        start_ms = max(time.time_ns() // 1_000_000, self._next_start_ms)
        # A turn takes 1 ms, and in each at least half of the sensors send.
        self._next_start_ms = start_ms + count // (SENSORS // 2) + 1
        return start_ms


def application(target_url: str, profile: str = STEADY.name) -> web.Application:
    app = web.Application()
    app.router.add_get("/generate/{count}", Generator(target_url, profile).generate)
    app.router.add_get("/health", _health)
    return app


async def _health(_: web.Request) -> web.Response:
    return _json(200, {"status": "pass"})


async def _refusal(target: Target) -> str | None:
    """Why the target can't be reached, so that thousands of events need not find out one by one."""
    connection = Connection(target, CONNECT_SECONDS)
    try:
        await connection.open()
    except NoAnswerError as reason:
        return str(reason)
    await connection.close()
    return None


def _count(text: str) -> int | None:
    count = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_EVENTS)) else 0
    return count if 1 <= count <= MOST_EVENTS else None


def _generated(summary: Summary) -> Generated:
    return Generated(
        sent=summary.sent,
        acked=summary.acked,
        failed=summary.sent - summary.acked,
        seconds=round(summary.seconds, 3),
        errors=summary.errors | summary.rejections,
    )


def _problem(status: int, error: str) -> web.Response:
    return _json(status, {"error": error})


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
