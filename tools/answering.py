"""Waiting for a server that was just started."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable

_POLL_SECONDS = 0.05


def wait_until_answering(url: str, seconds: float, is_alive: Callable[[], bool]) -> bool:
    """Whether ``url`` answers with a 2xx within ``seconds``; gives up at once when the process is no longer alive."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and is_alive():
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - always http
        except (urllib.error.URLError, OSError):
            time.sleep(_POLL_SECONDS)
        else:
            return True
    return False


def wait_until_listening(port: int, seconds: float, is_alive: Callable[[], bool]) -> bool:
    """The same of a program that has no page to ask for: whether ``port`` on loopback takes a connection."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and is_alive():
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(_POLL_SECONDS)
        else:
            return True
    return False
