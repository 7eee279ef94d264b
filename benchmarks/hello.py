"""The least that aiohttp can do with a request: what a single-event request costs without Pulso."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop
from aiohttp import web

from tools.answering import wait_until_answering
from tools.influx_server import free_port

_START_SECONDS = 30.0


@contextmanager
def serving() -> Iterator[str]:
    """Its URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.hello", str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        if not wait_until_answering(f"{url}/health", _START_SECONDS, lambda: process.poll() is None):
            raise RuntimeError("the reference server did not start")
        yield url
    finally:
        process.terminate()
        process.wait(10)


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=b'{"accepted":1,"rejected":[]}\n', status=202, content_type="application/json")


async def _health(_: web.Request) -> web.Response:
    return web.Response()


async def _serve(port: int) -> None:
    application = web.Application()
    application.router.add_post("/events", _answer)
    application.router.add_get("/health", _health)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(_serve(int(sys.argv[1])))
