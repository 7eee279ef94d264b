"""An organization as ``influx apply`` makes it, with the token that Grafana gets."""

import asyncio
import secrets
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from influx.apply import apply
from influx.connection import Access
from influx.declared import pulso
from tests.grafana.grafana import Grafana
from tools.dashboards.files import databases
from tools.influx_server import InfluxServer

_LINES_A_WRITE = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """``grafana`` asks with the token of its own, that may only read; ``write`` does with the server's."""

    server: InfluxServer
    organization: str
    tokens_dir: Path
    grafana: Grafana

    async def write(self, bucket: str, lines: Iterable[str]) -> None:
        """Store line protocol. Raises AssertionError with InfluxDB's reason."""
        everything = list(lines)
        headers = {"Authorization": f"Token {self.server.token}"}
        parameters = {"org": self.organization, "bucket": bucket}
        async with aiohttp.ClientSession(self.server.url, headers=headers) as session:
            for at in range(0, len(everything), _LINES_A_WRITE):
                body = "\n".join(everything[at : at + _LINES_A_WRITE])
                async with session.post("/api/v2/write", params=parameters, data=body) as answer:
                    assert answer.status == 204, await answer.text()

    async def count(self) -> None:
        """Count all events into the rollup, as a person would do it. Raises AssertionError with what it said."""
        options = ("--url", self.server.url, "--org", self.organization, "--tokens-dir", str(self.tokens_dir))
        command = (sys.executable, "-m", "influx", "rollup", *options)
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()


async def new_place(server: InfluxServer, tokens_dir: Path) -> Place:
    """A new organization with Pulso's buckets, empty."""
    organization = f"org-{secrets.token_hex(4)}"
    await apply(pulso(organization), Access(server.url, server.token), tokens_dir)
    token = (tokens_dir / "grafana.token").read_text().strip()
    return Place(server, organization, tokens_dir, Grafana(server.url, token, databases()))
