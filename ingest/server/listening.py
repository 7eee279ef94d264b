"""Takes connections, up to a number, and ends those that take too long."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import structlog
from aiohttp import web

from ingest.background import beside
from ingest.capacity import Capacity
from ingest.seldom import Seldom
from ingest.server.answers import Refusals
from ingest.server.connection import Connection, Patience

# A thousand sensors that come back at the same moment find room to wait.
_BACKLOG = 1024
# A loop takes one connection a round by itself, and under load there are few rounds: a probe would wait for seconds.
_ACCEPTS_A_ROUND = 200
_SWEEP_SECONDS = 0.5
_REST_SECONDS = 0.5
_GOODBYE_SECONDS = 5.0
# Where all places are taken, who rests for so long loses his; looking for them goes through thousands.
_REST_OF_SILENT_SECONDS = 1.0
_REST_OF_OTHERS_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@dataclass(frozen=True, slots=True)
class Doors:
    """Where to listen, for how many connections, and how patiently."""

    host: str
    port: int
    most_connections: int
    patience: Patience
    tls: ssl.SSLContext | None = None
    # Who connects and says nothing holds no place for longer.
    handshake_seconds: float = 10.0
    # Other processes may listen there, too, and the system spreads connections over all of them.
    is_shared: bool = False

    def tls_options(self) -> dict[str, Any]:
        """For the loop, which takes time-outs only where there is TLS."""
        if self.tls is None:
            return {}
        return {
            "ssl": self.tls,
            "ssl_handshake_timeout": self.handshake_seconds,
            "ssl_shutdown_timeout": _GOODBYE_SECONDS,
        }

    def url(self, port: int) -> str:
        """What a client would be told."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{port}"


class Crowd:
    """All connections of a server; one beyond the limit hears that there is no room, and ends."""

    def __init__(self, server: web.Server, doors: Doors, capacity: Capacity, refusals: Refusals) -> None:
        self._server = server
        self._doors = doors
        self._capacity = capacity
        self._refusals = refusals
        self._shed = capacity.shed
        self._coming: set[asyncio.Task[Any]] = set()
        self._resting: list[Connection] = []
        self._looked_at = 0.0
        self._log = Seldom(structlog.get_logger("server").warning)

    def __len__(self) -> int:
        # The property would copy them all. Whoever is coming has a descriptor too.
        return len(self._server._connections) + len(self._coming)  # noqa: SLF001

    def take(self, listener: socket.socket) -> None:
        """Accept who waits at ``listener``."""
        for _ in range(_ACCEPTS_A_ROUND):
            try:
                client, _ = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(listener, error)
                return
            if len(self) < self._doors.most_connections or self._make_room():
                self._welcome(client)
            else:
                self._turn_away(client)

    def _make_room(self) -> bool:
        """End one that rests, first of all one that has never said anything."""
        now = asyncio.get_running_loop().time()
        if not self._resting and now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._resting = self._found_resting(now)
        while self._resting:
            connection = self._resting.pop()
            if connection.idle_seconds(now) >= _least_rest(connection):
                self._shed.slow.inc()
                connection.abort()
                return True
        return False

    def _found_resting(self, now: float) -> list[Connection]:
        """Who has waited longest stands last."""
        connections = cast("list[Connection]", self._server.connections)
        resting = [each for each in connections if each.idle_seconds(now) >= _least_rest(each)]
        return sorted(resting, key=lambda each: (each.is_silent, each.idle_seconds(now)))

    async def sweep(self) -> None:
        """Cut those that are overdue, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = loop.time()
            for connection in self._server.connections:
                each = cast(Connection, connection)
                if each.is_overdue(now):
                    each.cut()

    def _welcome(self, client: socket.socket) -> None:
        client.setblocking(False)
        coming = asyncio.ensure_future(
            asyncio.get_running_loop().connect_accepted_socket(self._protocol, client, **self._doors.tls_options())
        )
        self._coming.add(coming)
        coming.add_done_callback(self._has_come)

    def _has_come(self, coming: "asyncio.Task[Any]") -> None:
        self._coming.discard(coming)
        if not coming.cancelled():
            # Whoever failed on the way is gone; seen, so that nobody reports it.
            coming.exception()

    def _protocol(self) -> Connection:
        loop = asyncio.get_running_loop()
        return Connection(self._server, loop, self._doors.patience, self._capacity, self._refusals)

    def _turn_away(self, client: socket.socket) -> None:
        self._shed.connections.inc()
        with client:
            client.setblocking(False)
            try:
                if self._doors.tls is None:
                    # What has come is taken off, or closing would reset the connection, and the answer with it.
                    client.send(self._refusals.connection)
                    client.shutdown(socket.SHUT_WR)
                    client.recv(65_536)
            except OSError:
                return

    def _rest(self, listener: socket.socket, error: OSError) -> None:
        """Without a descriptor the listener would call at every round; those who wait are taken later."""
        if error.errno not in _NO_DESCRIPTOR:
            self._log("accept_failed", reason=str(error))
            return
        self._log("no_file_descriptor", reason=str(error), connections=len(self))
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(_REST_SECONDS, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if listener.fileno() != -1:
            asyncio.get_running_loop().add_reader(listener, self.take, listener)

    async def stop(self) -> None:
        """Whoever is still on the way in is turned back."""
        for coming in self._coming:
            coming.cancel()
        if self._coming:
            await asyncio.wait(self._coming)


def _least_rest(connection: Connection) -> float:
    return _REST_OF_SILENT_SECONDS if connection.is_silent else _REST_OF_OTHERS_SECONDS


@asynccontextmanager
async def listening(crowd: Crowd, doors: Doors) -> AsyncIterator[str]:
    """The URL that is listened on, until the context ends; connections that are open then stay so.

    Raises OSError if the address cannot be had.
    """
    listeners = await _listeners(doors)
    try:
        async with taking(crowd, listeners), beside(crowd.sweep()):
            yield doors.url(listeners[0].getsockname()[1])
    finally:
        for listener in listeners:
            listener.close()


@asynccontextmanager
async def taking(crowd: Crowd, listeners: Sequence[socket.socket]) -> AsyncIterator[None]:
    """Whoever comes to ``listeners`` joins the ``crowd``, until the context ends; who is overdue is not looked for."""
    loop = asyncio.get_running_loop()
    for listener in listeners:
        loop.add_reader(listener, crowd.take, listener)
    try:
        yield
    finally:
        for listener in listeners:
            loop.remove_reader(listener)
        await crowd.stop()


async def _listeners(doors: Doors) -> list[socket.socket]:
    """A socket for each address that the host's name has."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(doors.host or None, doors.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[socket.socket] = []
    try:
        for family, *_, address in dict.fromkeys(found):
            # Port 0 is a free one, and the same for every address.
            port = listeners[0].getsockname()[1] if listeners else doors.port
            listener = socket.create_server(
                (address[0], port, *address[2:]),
                family=family,
                backlog=_BACKLOG,
                dualstack_ipv6=False,
                reuse_port=doors.is_shared,
            )
            listener.setblocking(False)
            listeners.append(listener)
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners
