"""A client that sends any bytes, and waits for what comes of them."""

import socket
from typing import Any, Final

import httptools

ANSWER_SECONDS: Final = 20.0
# What is no request may wait for its rest, for which nobody waits here.
_RAW_SECONDS: Final = 0.02
_ENDLESS: Final = b"text/event-stream"


class NoAnswer(Exception):
    """The service said nothing, or not all of it, for 20 s."""


class _Answer:
    """One answer, as httptools tells it."""

    def __init__(self, is_head: bool) -> None:
        self.is_over = False
        self.is_endless = False
        self._is_head = is_head

    def on_header(self, name: bytes, value: bytes) -> None:
        self.is_endless = self.is_endless or (name.lower() == b"content-type" and value == _ENDLESS)

    def on_headers_complete(self) -> None:
        self.is_over = self._is_head

    def on_message_complete(self) -> None:
        self.is_over = True


class Wire:
    """One connection after the other to ``port`` of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, request: bytes) -> int:
        """The status of the answer to a request that is whole; 0 if the connection was closed without one."""
        if self._socket is None:
            self._socket = self._connected()
        status, goes_on = _asked(self._socket, request)
        if not goes_on:
            self.close()
        return status

    def throw(self, data: bytes) -> int:
        """The first status for ``data``, whatever it is, on a connection of its own; 0 if none comes at once."""
        with self._connected() as connection:
            connection.settimeout(_RAW_SECONDS)
            try:
                return _asked(connection, data)[0]
            except NoAnswer:
                return 0

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), ANSWER_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _asked(connection: socket.socket, request: bytes) -> tuple[int, bool]:
    """The status, 0 if there was none, and whether the connection can be used again."""
    answer: Any = _Answer(is_head=request.lstrip(b"\r\n").startswith(b"HEAD "))
    parser = httptools.HttpResponseParser(answer)
    status = 0
    try:
        connection.sendall(request)
        while not answer.is_over and (received := connection.recv(262_144)):
            parser.feed_data(received)
            status = parser.get_status_code()
            if answer.is_endless:
                return status, False
    except TimeoutError as error:
        raise NoAnswer from error
    except ConnectionError:
        return status, False
    return status, answer.is_over and bool(parser.should_keep_alive())
