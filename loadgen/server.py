"""The generator as a service: ``GET /generate/100`` posts 100 random events to ingest; ``GET /health`` answers."""

import asyncio
import secrets
import time
from collections.abc import Callable

import msgspec
import uvloop
from aiohttp import web
from aiohttp.typedefs import Handler

from loadgen import strangers
from loadgen.access import OPEN, Access
from loadgen.connection import refusal
from loadgen.plan import Plan
from loadgen.progress import Silence
from loadgen.results import ResultsWriter, Summary
from loadgen.run import GRACE_SECONDS, run
from loadgen.sensors.profiles import STEADY
from loadgen.target import Target

MOST_EVENTS = 100_000
LONGEST_SECONDS = 60
CONNECT_SECONDS = 5
SENSORS = 100
MOST_CALLS = 4
RETRY_SECONDS = 1

HELP = f"""\
GET /generate/100   post 100 random events to ingest in parallel, and say what came of them; up to {MOST_EVENTS:,}
GET /health         whether this generator lives
"""


class Generated(msgspec.Struct, frozen=True):
    """The answer. ``failed`` counts all that were sent but not acked; ``sent`` is less than ``asked`` if cut short."""

    asked: int
    sent: int
    acked: int
    failed: int
    seconds: float
    errors: dict[str, int]


class Generator:
    """Answers up to MOST_CALLS calls at a time; once ``stop`` is set, those under way end early and say so."""

    def __init__(self, target_url: str, profile: str, stop: asyncio.Event, access: Access = OPEN) -> None:
        self._target_url = target_url
        self._access = access
        self._profile = profile
        self._stop = stop
        self._next_start_ms = 0
        self._calls = 0

    async def generate(self, request: web.Request) -> web.Response:
        count = _count(request.match_info.get("count", ""))
        if count is None:
            return _problem(400, f"{request.path}: ask for 1 to {MOST_EVENTS} events, for example /generate/100")
        if strangers.is_of_another_site(request.headers):
            return _problem(403, strangers.CROSS_SITE)
        if self._calls >= MOST_CALLS:
            busy = _problem(429, f"{MOST_CALLS} calls are under way already; try again when one is done")
            busy.headers["Retry-After"] = str(RETRY_SECONDS)
            return busy
        self._calls += 1
        try:
            return await self._generate(count)
        finally:
            self._calls -= 1

    async def _generate(self, count: int) -> web.Response:
        target = Target.parse(self._target_url)
        away = await refusal(target, CONNECT_SECONDS, self._access.context_for(target))
        if away:
            return _problem(502, f"ingest at {self._target_url} is away: {away}")
        summary = await self._post(count)
        if not summary.acked and not summary.rejected and summary.sent:
            return _problem(502, f"ingest at {self._target_url} took nothing: {', '.join(summary.errors)}")
        return _json(200, _generated(count, summary))

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
        return await run(plan, ResultsWriter(None), Silence(), self._stop, access=self._access)

    def _reserve_ms(self, count: int) -> int:
        """A start whose milliseconds no earlier call has used, so that no two events share sensor and time."""
        start_ms = max(time.time_ns() // 1_000_000, self._next_start_ms)
        # A turn takes 1 ms, and in each at least half of the sensors send.
        self._next_start_ms = start_ms + count // (SENSORS // 2) + 1
        return start_ms


def serve(
    target_url: str, profile: str, host: str, port: int, announce: Callable[[str], None], *, access: Access = OPEN
) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises OSError if it can't listen."""
    strangers.be_quiet_about_what_is_no_http()
    web.run_app(
        application(target_url, profile, access),
        host=host,
        port=port,
        print=announce,
        access_log=None,
        # Whoever hangs up wants no more events.
        handler_cancellation=True,
        shutdown_timeout=GRACE_SECONDS + 1,
        loop=uvloop.new_event_loop(),
    )


def application(target_url: str, profile: str = STEADY.name, access: Access = OPEN) -> web.Application:
    stop = asyncio.Event()
    generate = Generator(target_url, profile, stop, access).generate
    app = web.Application(middlewares=[_explained])
    # HEAD would post events and not say what came of them.
    for path in ("/generate/{count}", "/generate/", "/generate"):
        app.router.add_get(path, generate, allow_head=False)
    app.router.add_get("/health", _health)
    app.router.add_get("/", _help)

    async def end_calls(_: web.Application) -> None:
        stop.set()

    app.on_shutdown.append(end_calls)
    app.on_response_prepare.append(_without_version)
    return app


@web.middleware
async def _explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The router's own refusals in the form of all the others."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return _problem(404, f"{request.path} is not here; try /generate/100")
    except web.HTTPMethodNotAllowed as refused:
        answer = _problem(405, f"{request.method} is not for {request.path}; try GET /generate/100")
        answer.headers["Allow"] = ", ".join(sorted(refused.allowed_methods))
        return answer


async def _without_version(_: web.Request, answer: web.StreamResponse) -> None:
    # Left out, aiohttp's would stand there, with its version and Python's.
    answer.headers["Server"] = "loadgen"


async def _help(_: web.Request) -> web.Response:
    return web.Response(text=HELP)


async def _health(_: web.Request) -> web.Response:
    return _json(200, {"status": "pass"})


def _count(text: str) -> int | None:
    count = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_EVENTS)) else 0
    return count if 1 <= count <= MOST_EVENTS else None


def _generated(asked: int, summary: Summary) -> Generated:
    return Generated(
        asked=asked,
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
