"""The parts under measurement, as processes of their own: the service, the sensors, their memory and CPU time."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.processes import Tree
from tools.answering import wait_until_answering
from tools.influx_server import InfluxServer, free_port

_START_SECONDS = 30.0


@dataclass(frozen=True)
class Service:
    """A running ``ingest serve``."""

    url: str
    tree: Tree

    def memory_mb(self) -> float:
        return self.tree.peak_mb()

    def resident_mb(self) -> float:
        return self.tree.resident_mb()

    def cpu_seconds(self) -> float:
        return self.tree.cpu_seconds()

    def counts(self) -> str:
        """``/counts`` as text."""
        request = urllib.request.Request(self.url + "/counts", headers={"Accept": "text/plain"})  # noqa: S310 - always http
        with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
            return str(answer.read().decode())

    def gauge(self, name: str) -> float:
        """A metric without labels, as it is now."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=30) as answer:  # noqa: S310
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@contextmanager
def serving(folder: Path, *options: str, token: str = "") -> Iterator[Service]:
    """The service on a free port, stopped at the end."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        sys.executable,
        "-m",
        "ingest",
        "serve",
        "--port",
        url.rpartition(":")[2],
        "--data-dir",
        str(folder),
        *options,
    ]
    variables = os.environ | ({"INGEST_INFLUX_TOKEN": token} if token else {})
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env=variables)
    try:
        if not wait_until_answering(f"{url}/health", _START_SECONDS, lambda: process.poll() is None):
            raise RuntimeError("the ingest service did not start")
        yield Service(url, Tree(psutil.Process(process.pid)))
    finally:
        process.terminate()
        process.wait(30)


def influx_options(url: str, server: InfluxServer, bucket: str) -> list[str]:
    """Options of a service in front of ``server``, which it reaches at ``url``."""
    where = ["--store", "influx", "--influx-url", url, "--influx-org", server.org, "--influx-bucket", bucket]
    return [*where, "--influx-rollup-bucket", f"{bucket}-rollup"]


@dataclass(frozen=True)
class Load:
    """What ``loadgen run`` measured."""

    acked: int
    sent: int
    events_per_second: float
    p50_ms: float
    p99_ms: float
    results: Path


def load(results: Path, url: str, options: str) -> Load:
    """Run ``loadgen`` with ``options``, as one would type them, and read its summary."""
    command = [
        sys.executable,
        "-m",
        "loadgen",
        "run",
        "--url",
        url,
        "--results",
        str(results),
        "--quiet",
        *options.split(),
    ]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    summary: dict[str, Any] = json.loads(results.read_text().splitlines()[-1])
    return Load(
        acked=summary["acked"],
        sent=summary["sent"],
        events_per_second=summary["acked"] / summary["seconds"],
        p50_ms=summary["latency_ms"]["p50"],
        p99_ms=summary["latency_ms"]["p99"],
        results=results,
    )


def verified(loaded: Load, url: str) -> str:
    """The last line of ``loadgen verify``, marked if it failed."""
    command = [
        sys.executable,
        "-m",
        "loadgen",
        "verify",
        "--results",
        str(loaded.results),
        "--url",
        url,
        "--wait",
        "120s",
    ]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    said = (result.stdout.strip() or result.stderr.strip()).splitlines()[-1]
    return said if result.returncode == 0 else f"FAILED: {said}"


def post(service: Service, events: list[dict[str, object]]) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(service.url + "/events", json.dumps(events).encode(), headers)  # noqa: S310 - always http
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310
