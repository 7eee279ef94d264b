"""The service as a process of its own, ``ingest serve``: started, stopped, killed, started again."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from tools.influx_server import InfluxServer, free_port

_START_SECONDS = 60.0
_END_SECONDS = 60.0


class Service:
    """An ``ingest serve`` on one folder and one port, however often it is started.

    ``log`` has every line that all its processes wrote to stderr; what is no JSON is an entry with the key ``text``.
    """

    def __init__(self, folder: Path, options: Sequence[str] = (), variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.options = list(options)
        self.variables = dict(variables or {})
        self.log: list[dict[str, Any]] = []
        self._port = free_port()
        self._popen: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._listening = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def popen(self) -> "subprocess.Popen[str]":
        assert self._popen is not None, "the service was never started"
        return self._popen

    @property
    def is_alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def launch(self, **variables: str) -> None:
        """Start a process and do not wait for it."""
        assert not self.is_alive, "the service runs already"
        command = [sys.executable, "-m", "ingest", "serve", "--port", str(self._port), "--data-dir", str(self.folder)]
        self._listening.clear()
        self._popen = subprocess.Popen(
            [*command, *self.options], stderr=subprocess.PIPE, text=True, env=os.environ | self.variables | variables
        )
        self._reader = threading.Thread(target=self._read_log, args=(self._popen,))
        self._reader.start()

    def start(self, **variables: str) -> None:
        """Start a process and return when it listens."""
        self.launch(**variables)
        assert self.listens(_START_SECONDS), f"ingest did not start: {self.log[-5:]}"

    def listens(self, seconds: float) -> bool:
        """Whether it listens, after a wait of up to ``seconds``; False at once when it has ended."""
        return self._listening.wait(seconds) and self.is_alive

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.popen.send_signal(number)
        return self.ended()

    def kill(self) -> None:
        self.popen.kill()
        self.ended()

    def end(self) -> None:
        """Leave no process behind, whatever became of it."""
        if self.is_alive:
            self.kill()

    def ended(self, seconds: float = _END_SECONDS) -> int:
        """Wait for the end of the process; its exit code. Raises subprocess.TimeoutExpired."""
        code = self.popen.wait(seconds)
        if self._reader is not None:
            self._reader.join()
        return code

    def post(self, *events: dict[str, Any]) -> int:
        request = urllib.request.Request(
            self.url + "/events", json.dumps(events).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(json.loads(answer.read())["accepted"])

    def answer(self, path: str, body: str | None = None, content_type: str = "application/json") -> tuple[int, bytes]:
        """The status and body of the answer to a POST of ``body``, or to a GET without one; errors too."""
        data = None if body is None else body.encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": content_type})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def metric(self, name: str, absent: float | None = None) -> float:
        """The value of a metric, by its name with its labels; ``absent`` where there is none yet, or a KeyError."""
        _, text = self.answer("/metrics")
        match = re.search(rf"^{re.escape(name)} (\S+)$", text.decode(), re.MULTILINE)
        if match is None and absent is None:
            raise KeyError(name)
        return float(match[1]) if match else cast(float, absent)

    def counted(self, path: str = "/counts") -> int:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return int(json.loads(answer.read())["events"])

    def _read_log(self, popen: "subprocess.Popen[str]") -> None:
        assert popen.stderr is not None
        with popen.stderr as stream:
            for line in stream:
                entry = _entry(line)
                self.log.append(entry)
                if entry.get("event") == "listening":
                    self._listening.set()
        # Nobody waits for a process that has ended.
        self._listening.set()


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return {"text": line}
    return entry if isinstance(entry, dict) else {"text": line}


@contextmanager
def served(folder: Path, *options: str, **variables: str) -> Iterator[Service]:
    """A service that listens."""
    service = Service(folder, options, variables)
    try:
        service.start()
        yield service
    finally:
        service.end()


def influx_options(server: InfluxServer, bucket: str) -> list[str]:
    """The options of a service in front of ``server``; its token goes into INGEST_INFLUX_TOKEN."""
    where = ["--store", "influx", "--influx-url", server.url, "--influx-org", server.org, "--influx-bucket", bucket]
    return [*where, "--influx-rollup-bucket", f"{bucket}-rollup", "--rollup-interval-seconds", "0.1"]
