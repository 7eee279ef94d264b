"""Connections that read; in WAL mode they never wait for the writer."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from ingest.errors import StoreUnavailable
from ingest.event import number
from ingest.sqlite import connect

# As many as there are turns to read, so that a short read waits for no long one.
_MOST = 8
_LONGEST_SECONDS = 30.0
_ASK_AGAIN_SECONDS = 0.1

Result = TypeVar("Result")


class Readers:
    """Runs reads in threads of their own, ``most`` at a time, each on a connection of its own."""

    def __init__(self, path: Path, most: int = _MOST, longest_seconds: float = _LONGEST_SECONDS) -> None:
        self._path = path
        self._most = most
        self._longest_seconds = longest_seconds
        self._turns = asyncio.Semaphore(most)
        # Not the threads that everybody shares: large bodies wait for those.
        self._threads = ThreadPoolExecutor(most, "store-read")
        self._idle: list[sqlite3.Connection] = []
        self._busy: set[sqlite3.Connection] = set()
        self._closed = False

    async def run(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        """What ``read`` returns or raises; whoever is cancelled has its query interrupted.

        Raises sqlite3.Error, and StoreUnavailable for a query that takes too long or comes too late.
        """
        async with self._turns:
            if self._closed:
                raise StoreUnavailable("the store is being closed")
            loop = asyncio.get_running_loop()
            connection = self._idle.pop() if self._idle else await loop.run_in_executor(self._threads, self._connect)
            self._busy.add(connection)
            reading = loop.run_in_executor(self._threads, read, connection)
            reading.add_done_callback(lambda done: self._free(connection, done))
            try:
                async with asyncio.timeout(self._longest_seconds):
                    return await asyncio.shield(reading)
            except TimeoutError:
                await _interrupted(connection, reading)
                raise StoreUnavailable(
                    f"the query took longer than {self._longest_seconds:g} s: ask for a shorter range"
                ) from None
            except asyncio.CancelledError:
                await _interrupted(connection, reading)
                raise

    def _free(self, connection: sqlite3.Connection, done: "asyncio.Future[Any]") -> None:
        self._busy.discard(connection)
        self._idle.append(connection)
        if not done.cancelled():
            # Seen, so that nobody reports an interruption as an error of its own.
            done.exception()

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self._path)
        connection.create_function("number_of", 1, number, deterministic=True)
        return connection

    async def close(self) -> None:
        """Interrupt what still runs, refuse what waits, and close every connection."""
        self._closed = True
        while self._busy:
            for connection in self._busy:
                connection.interrupt()
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
        for _ in range(self._most):
            await self._turns.acquire()
        for connection in self._idle:
            connection.close()
        self._threads.shutdown(wait=False)


async def _interrupted(connection: sqlite3.Connection, reading: "asyncio.Future[Any]") -> None:
    """Once the query has ended; one that is only just about to begin does not hear the first time."""
    while not reading.done():
        connection.interrupt()
        await asyncio.wait([reading], timeout=_ASK_AGAIN_SECONDS)
