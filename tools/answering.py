"""Waiting for a server that was just started."""

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
