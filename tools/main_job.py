"""``make run``: the ingest service with the embedded store, and simulated sensors that send 1000 events/s to it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tools.answering import wait_until_answering

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_LOCKS = ("INGEST_TOKENS", "INGEST_TOKENS_FILE", "INGEST_TLS_CERTIFICATE_FILE")
_RATE = os.environ.get("RATE", "1000")


def main() -> int:
    """Run until Ctrl-C; 0 if both parts ended cleanly."""
    locked = [name for name in _LOCKS if os.environ.get(name)]
    if locked and not os.environ.get("INGEST_ALLOW_ANONYMOUS"):
        print(f"make run: its sensors send no token over plain HTTP: unset {' and '.join(locked)}", file=sys.stderr)
        return 1
    url = f"http://127.0.0.1:{os.environ.get('INGEST_PORT', '5000')}"
    try:
        with _ingest(url) as ingest:
            _welcome(url)
            return _sensors(url, ingest)
    except _FailedError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1


class _FailedError(Exception):
    """A part did not start."""


@contextmanager
def _ingest(url: str) -> "Iterator[subprocess.Popen[bytes]]":
    # In a session of its own, for Ctrl-C has to stop the sensors first.
    process = subprocess.Popen([sys.executable, "-m", "ingest", "serve"], start_new_session=True)
    try:
        if not wait_until_answering(f"{url}/ready", _START_SECONDS, lambda: process.poll() is None):
            raise _FailedError("the ingest service did not start; its message is above")
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _welcome(url: str) -> None:
    with urllib.request.urlopen(url + "/counts", timeout=60) as answer:  # noqa: S310 - always http
        events = json.load(answer)["events"]
    folder = os.environ.get("INGEST_DATA_DIR", "data")
    print(f"""
Events are kept in {folder}: {events:,} from earlier runs, and {_RATE} simulated ones a second from now on.

  see them        {url} in a browser
  newest events   curl '{url}/get_data?limit=5'
  counts          curl -H 'Accept: text/plain' {url}/counts
  how it is       curl {url}/ready    curl {url}/metrics

Ctrl-C stops the sensors, then the service.
""")


def _sensors(url: str, ingest: "subprocess.Popen[bytes]") -> int:
    command = [sys.executable, "-m", "loadgen", "run", "--url", url, "--rate", _RATE, "--profile", "city"]
    command += ["--duration", "forever"]
    sensors = subprocess.Popen(command)
    for number in (signal.SIGINT, signal.SIGTERM):
        # A terminal's Ctrl-C reaches the sensors too; a kill of this process does not.
        signal.signal(number, lambda received, _: sensors.send_signal(received) if received == signal.SIGTERM else None)
    while sensors.poll() is None:
        if ingest.poll() is not None:
            sensors.terminate()
            sensors.wait()
            raise _FailedError("the ingest service ended; its message is above")
        time.sleep(0.1)
    return sensors.returncode


if __name__ == "__main__":
    sys.exit(main())
