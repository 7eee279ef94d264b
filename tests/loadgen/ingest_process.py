"""The real service: as a process that a test can kill and start again on the same port, and what it holds."""

import asyncio
import re
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from loadgen.readback import Row, stored
from tools.influx_server import free_port


class IngestProcess:
    """``ingest serve`` with the embedded store."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self._process: Process | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ingest", "serve", "--port", str(self._port), "--data-dir", str(self._folder)),
            stderr=DEVNULL,
        )
        async with asyncio.timeout(20), aiohttp.ClientSession() as session:
            while not await _answers(session, self.url):
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def events(self) -> int:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/counts") as response:
            return int((await response.json())["events"])


@asynccontextmanager
async def ingest_process(folder: Path) -> AsyncIterator[IngestProcess]:
    process = IngestProcess(folder)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


async def stored_rows(url: str) -> list[Row]:
    """All that the service holds, once nothing waits to be shipped any more."""
    async with aiohttp.ClientSession() as session:
        async with asyncio.timeout(20):
            while not await _shipped(session, url):
                await asyncio.sleep(0.05)
        return [row async for row in stored(session, url, 0, 2**42)]


async def _shipped(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(f"{url}/metrics") as response:
        return bool(re.search(r"^ingest_spool_points 0.0$", await response.text(), re.MULTILINE))


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/health") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
