"""A real InfluxDB for tests and benchmarks: found or built, started on a free port, ended by pid."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.answering import wait_until_answering
from tools.go_program import GoProgram

INFLUXD = GoProgram("influxd", folder="influxd", module="github.com/influxdata/influxdb/v2", minutes=6)
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
ORG = "pulso"

HOW_TO_GET_ONE = (
    "no InfluxDB: run `make tools` (needs Go, Rust and a C compiler), or put an influxd {version} on the PATH,"
    " or start a Docker engine, or set INFLUXDB_URL and INFLUXDB_TOKEN"
)


@dataclass(frozen=True, slots=True)
class InfluxServer:
    """A running server; ``token`` may do everything, "" where nobody has set the server up yet."""

    url: str
    token: str = ""
    org: str = ORG
    pid: int | None = None


class NoInfluxError(Exception):
    """None can be found or started; the message says what to do."""


def docker_engine() -> bool:
    """Whether a Docker engine answers."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@contextmanager
def server() -> Iterator[InfluxServer]:
    """A server that is set up: the one in the environment, else one of our own, which ends with the context."""
    if os.environ.get("INFLUXDB_URL") and os.environ.get("INFLUXDB_TOKEN"):
        yield InfluxServer(
            os.environ["INFLUXDB_URL"], os.environ["INFLUXDB_TOKEN"], os.environ.get("INFLUXDB_ORG", ORG)
        )
        return
    with fresh_server() as fresh:
        yield set_up(fresh)


@contextmanager
def fresh_server() -> Iterator[InfluxServer]:
    """A server of our own that nobody has set up. Raises NoInfluxError."""
    if INFLUXD.find() is not None:
        with own_influxd() as influxd:
            yield influxd.server
    elif docker_engine():
        with _container() as started:
            yield started
    else:
        raise NoInfluxError(HOW_TO_GET_ONE.format(version=INFLUXD.version()))


def call(
    target: InfluxServer, method: str, path: str, body: Any = None, parameters: Mapping[str, str] | None = None
) -> Any:
    """A request to the server's API: JSON in and out, bytes as they are. Raises urllib.error.HTTPError."""
    url = target.url + path + ("?" + urllib.parse.urlencode(parameters) if parameters else "")
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Token {target.token}"} if target.token else {}
    )
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - always http
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        content = answer.read()
    return json.loads(content) if content.strip() else None


def make_bucket(target: InfluxServer, name: str, retention_seconds: int = 0) -> str:
    """Create a bucket; its id."""
    (org,) = call(target, "GET", "/api/v2/orgs", parameters={"org": target.org})["orgs"]
    rules = [{"type": "expire", "everySeconds": retention_seconds}] if retention_seconds else []
    return str(
        call(target, "POST", "/api/v2/buckets", {"orgID": org["id"], "name": name, "retentionRules": rules})["id"]
    )


class Influxd:
    """An influxd of our own on a free port and in a folder of its own; it can be stopped and started again."""

    def __init__(self, path: Path, folder: Path, *options: str) -> None:
        self._folder = folder
        self._port = free_port()
        self._command = [*_command(path, folder, self._port), *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> InfluxServer:
        return InfluxServer(f"http://127.0.0.1:{self._port}", pid=self._process.pid if self._process else None)

    @property
    def engine_folder(self) -> Path:
        """Where it keeps what was written."""
        return self._folder / "engine"

    def start(self) -> None:
        """Return when it answers. Raises NoInfluxError."""
        log = self._folder / "log"
        with log.open("ab") as stream:
            process = subprocess.Popen(self._command, stdout=stream, stderr=stream)
        self._process = process
        _wait_until_up(self.server, lambda: process.poll() is None, log)

    def stop(self) -> None:
        """Return when the process has ended."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """As by kill -9; ``start`` finds what was on disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Until ``thaw`` it takes connections and answers nothing."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


@contextmanager
def own_influxd(*options: str) -> Iterator[Influxd]:
    """A started influxd that nobody has set up, with ``options`` of its own. Raises NoInfluxError."""
    path = INFLUXD.find()
    if path is None:
        raise NoInfluxError(HOW_TO_GET_ONE.format(version=INFLUXD.version()))
    with tempfile.TemporaryDirectory(prefix="pulso-influxd-") as folder:
        influxd = Influxd(path, Path(folder), *options)
        try:
            influxd.start()
            yield influxd
        finally:
            influxd.stop()


def set_up(fresh: InfluxServer) -> InfluxServer:
    """Give a fresh server its organization and a token that may do everything."""
    token = secrets.token_hex(16)
    setup = {"username": "admin", "password": secrets.token_hex(16), "org": ORG, "bucket": "first", "token": token}
    call(fresh, "POST", "/api/v2/setup", setup)
    return InfluxServer(fresh.url, token, ORG, fresh.pid)


def _command(path: Path, folder: Path, port: int) -> Sequence[str]:
    return [
        str(path),
        f"--bolt-path={folder / 'bolt'}",
        f"--sqlite-path={folder / 'sqlite'}",
        f"--engine-path={folder / 'engine'}",
        f"--http-bind-address=127.0.0.1:{port}",
        "--reporting-disabled",
        "--log-level=error",
    ]


@contextmanager
def _container() -> Iterator[InfluxServer]:
    port = free_port()
    command = ["docker", "run", "--rm", "--detach", f"--publish=127.0.0.1:{port}:8086", f"influxdb:{INFLUXD.version()}"]
    container = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        started = InfluxServer(f"http://127.0.0.1:{port}")
        _wait_until_up(started, lambda: True, None)
        yield started
    finally:
        subprocess.run(["docker", "stop", container], check=False, capture_output=True)


def _wait_until_up(started: InfluxServer, is_alive: Callable[[], bool], log: Path | None) -> None:
    if not wait_until_answering(f"{started.url}/health", _START_SECONDS, is_alive):
        said = log.read_text(errors="replace")[-2000:] if log else ""
        raise NoInfluxError(f"influxd did not start on {started.url}: {said}")


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ensure() -> int:
    """Build influxd unless tests will find a server anyway; the exit code of the build."""
    if os.environ.get("INFLUXDB_URL") and os.environ.get("INFLUXDB_TOKEN"):
        print(f"influxd: the one at {os.environ['INFLUXDB_URL']}")
        return 0
    buildable = all(shutil.which(program) for program in ("go", "cargo", "cc"))
    if INFLUXD.find() is None and not buildable and docker_engine():
        print(f"influxd: the Docker image influxdb:{INFLUXD.version()}")
        return 0
    return INFLUXD.ensure()
