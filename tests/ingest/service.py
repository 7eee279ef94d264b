"""The service as it is wired, on a free port, for tests that speak HTTP to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from ingest.app import running
from ingest.settings import Settings
from tools.influx_server import InfluxServer, free_port


def influx_settings(folder: Path, server: InfluxServer, bucket: str, **others: Any) -> Settings:
    """Settings of a service in front of ``server``."""
    return Settings(
        data_dir=folder,
        store="influx",
        **{
            "port": 0,
            "influx_url": server.url,
            "influx_org": server.org,
            "influx_bucket": bucket,
            "influx_rollup_bucket": f"{bucket}-rollup",
            "rollup_interval_seconds": 0.1,
            "influx_token": server.token,
            **others,
        },
    )


def unreachable_influx_settings(folder: Path, **others: Any) -> Settings:
    """Settings of a service whose InfluxDB never answers: everything stays in the spool."""
    nobody = InfluxServer(f"http://127.0.0.1:{free_port()}", "no-token")
    return influx_settings(folder, nobody, "none", grace_seconds=0.2, **others)


async def put(client: ClientSession, *events: tuple[int, str, Any]) -> None:
    """Post events of timestamp, tag and valor, all of which must be accepted."""
    body = [{"timestamp": timestamp, "tag": tag, "valor": valor} for timestamp, tag, valor in events]
    async with client.post("/events", json=body) as answer:
        assert await answer.json() == {"accepted": len(events), "rejected": []}, body


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[ClientSession]:
    """A client of a running service; stops the service at the end."""
    async with running(settings) as url, ClientSession(url) as client:
        yield client
