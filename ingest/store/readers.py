"""Connections that read; in WAL mode they never wait for the writer."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ingest.event import number
from ingest.sqlite import connect

_MOST = 4

Result = TypeVar("Result")


class Readers:
    """Runs reads in threads, a few at a time, each on a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turns = asyncio.Semaphore(_MOST)
        self._idle: list[sqlite3.Connection] = []
        self._busy: set[sqlite3.Connection] = set()

    async def run(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        """What ``read`` returns or raises; whoever is cancelled has its query interrupted. Raises sqlite3.Error."""
        async with self._turns:
            connection = self._idle.pop() if self._idle else await asyncio.to_thread(self._connect)
            self._busy.add(connection)
            reading = asyncio.ensure_future(asyncio.to_thread(read, connection))
            try:
                return await asyncio.shield(reading)
            except asyncio.CancelledError:
                connection.interrupt()
                await asyncio.wait([reading])
                # Seen, so that nobody reports the interruption as an error of its own.
                reading.exception()
                raise
            finally:
                self._busy.discard(connection)
                self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self._path)
        connection.create_function("number_of", 1, number, deterministic=True)
        return connection

    async def close(self) -> None:
        """Interrupt what still runs and close every connection."""
        for connection in self._busy:
            connection.interrupt()
        for _ in range(_MOST):
            await self._turns.acquire()
        for connection in self._idle:
            connection.close()
