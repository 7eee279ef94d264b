"""A real InfluxDB for tests and benchmarks: found or built, started on a free port, ended by pid."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.answering import wait_until_answering

_MODULE = Path(__file__).parent / "influxd"
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


def version() -> str:
    """The one version that Pulso is tested with, as tools/influxd/go.mod pins it."""
    found = re.search(r"influxdata/influxdb/v2 v(\S+)", (_MODULE / "go.mod").read_text())
    assert found is not None, "tools/influxd/go.mod pins no InfluxDB"  # noqa: S101
    return found.group(1)


def cached() -> Path:
    """Where ``make tools`` puts the server it builds."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "pulso" / f"influxd-{version()}"


def binary() -> Path | None:
    """An influxd of the right version: the one that was built, or one on the PATH."""
    on_path = shutil.which("influxd")
    for path in (cached(), Path(on_path) if on_path else None):
        if path is not None and path.exists() and _is_right(path):
            return path
    return None


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
    if binary() is not None:
        with own_influxd() as influxd:
            yield influxd.server
    elif docker_engine():
        with _container() as started:
            yield started
    else:
        raise NoInfluxError(HOW_TO_GET_ONE.format(version=version()))


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

    def __init__(self, path: Path, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._command = _command(path, folder, self._port)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> InfluxServer:
        return InfluxServer(f"http://127.0.0.1:{self._port}", pid=self._process.pid if self._process else None)

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


@contextmanager
def own_influxd() -> Iterator[Influxd]:
    """A started influxd that nobody has set up. Raises NoInfluxError."""
    path = binary()
    if path is None:
        raise NoInfluxError(HOW_TO_GET_ONE.format(version=version()))
    with tempfile.TemporaryDirectory(prefix="pulso-influxd-") as folder:
        influxd = Influxd(path, Path(folder))
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
    command = ["docker", "run", "--rm", "--detach", f"--publish=127.0.0.1:{port}:8086", f"influxdb:{version()}"]
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


def _is_right(path: Path) -> bool:
    said = subprocess.run([str(path), "version"], capture_output=True, text=True, check=False).stdout
    return f"v{version()} " in said


def ensure() -> int:
    """Build influxd unless tests will find one anyway; the exit code of ``make tools``."""
    if os.environ.get("INFLUXDB_URL") and os.environ.get("INFLUXDB_TOKEN"):
        print(f"InfluxDB: the one at {os.environ['INFLUXDB_URL']}")
        return 0
    found = binary()
    if found is not None:
        print(f"InfluxDB: {found}")
        return 0
    if not all(shutil.which(program) for program in ("go", "cargo", "cc")) and docker_engine():
        print(f"InfluxDB: the Docker image influxdb:{version()}")
        return 0
    print(f"InfluxDB: building {cached()}, about 6 minutes on two cores, once", flush=True)
    return subprocess.run([str(_MODULE / "build.sh"), str(cached())], check=False).returncode


if __name__ == "__main__":
    sys.exit(ensure())
