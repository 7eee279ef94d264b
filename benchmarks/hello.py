"""The least that aiohttp can do with a request: what a single-event request costs without Pulso."""

import asyncio
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop
from aiohttp import web

from tools.influx_server import free_port


@contextmanager
def serving() -> Iterator[str]:
    """Its URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.hello", str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_up(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url + "/nothing", timeout=5)  # noqa: S310 - always http
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=b'{"accepted":1,"rejected":[]}\n', status=202, content_type="application/json")


async def _serve(port: int) -> None:
    application = web.Application()
    application.router.add_post("/events", _answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(_serve(int(sys.argv[1])))
