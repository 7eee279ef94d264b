"""Who is measured, with the same sender: Pulso, Telegraf at the same job, and InfluxDB itself."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.bench import Bench
from benchmarks.job import Job
from benchmarks.processes import Tree
from benchmarks.service import Service, influx_options, serving
from benchmarks.stored import Bucket
from tools.answering import wait_until_listening
from tools.influx_server import InfluxServer, free_port
from tools.telegraf_program import PEER_FOLDER
from tools.telegraf_program import telegraf as telegraf_program

_START_SECONDS = 30.0


@dataclass(frozen=True)
class Peer:
    """Someone who takes events; ``tree`` are its processes, none for InfluxDB, which all of them share."""

    port: int
    events_path: str
    lines_path: str
    tree: Tree
    headers: dict[str, str] = field(default_factory=dict)

    def job(self, form: str, connections: int, rate: float = 0.0) -> Job:
        path = self.lines_path if form == "lp" else self.events_path
        return Job(self.port, path, connections, rate, self.headers)


@contextmanager
def ingest(folder: Path, server: InfluxServer, bucket: str, *options: str) -> Iterator[Peer]:
    """``ingest serve`` with an empty spool, in front of any InfluxDB."""
    own = [*influx_options(server.url, server, bucket), *options]
    with serving(folder, *own, token=server.token) as service:
        yield Peer(int(service.url.rpartition(":")[2]), "/events", "/api/v2/write?precision=ns", service.tree)


def pulso(bench: Bench, bucket: Bucket, *options: str) -> AbstractContextManager[Peer]:
    """The same in front of the bench's own."""
    return ingest(bench.folder / bucket.name, bucket.server, bucket.name, *options)


@contextmanager
def embedded(folder: Path, *options: str) -> Iterator[tuple[Peer, Service]]:
    """``ingest serve`` with the embedded store in ``folder``, which may hold one already."""
    with serving(folder, *options) as service:
        yield Peer(int(service.url.rpartition(":")[2]), "/events", "/api/v2/write?precision=ns", service.tree), service


@contextmanager
def telegraf(bench: Bench, bucket: Bucket, configuration: str) -> Iterator[Peer]:
    """Telegraf with agent.conf and one of the others. Raises RuntimeError."""
    program = telegraf_program().find()
    if program is None:
        raise RuntimeError(f"no telegraf {telegraf_program().version()}: run `make tools`")
    port, server = free_port(), bucket.server
    files = [f"--config={PEER_FOLDER / name}" for name in ("agent.conf", configuration)]
    variables = {
        "PULSO_PORT": str(port),
        "PULSO_INFLUX_URL": server.url,
        "PULSO_INFLUX_ORG": server.org,
        "PULSO_INFLUX_BUCKET": bucket.name,
        "PULSO_INFLUX_TOKEN": server.token,
    }
    log = bench.folder / f"{bucket.name}-telegraf.log"
    with log.open("wb") as stream:
        command = [str(program), "--strict-env-handling", *files]
        process = subprocess.Popen(command, env=os.environ | variables, stdout=stream, stderr=stream)
    try:
        if not wait_until_listening(port, _START_SECONDS, lambda: process.poll() is None):
            raise RuntimeError(f"Telegraf did not start: {log.read_text()[-2000:]}")
        yield Peer(port, "/events", "/api/v2/write?precision=ns", Tree(psutil.Process(process.pid)))
    finally:
        process.terminate()
        process.wait(60)


def raw(bucket: Bucket) -> Peer:
    """InfluxDB, which takes ready line protocol."""
    server = bucket.server
    path = f"/api/v2/write?precision=ns&org={server.org}&bucket={bucket.name}"
    headers = {"Authorization": f"Token {server.token}"}
    return Peer(int(server.url.rpartition(":")[2]), "", path, Tree(None), headers)
