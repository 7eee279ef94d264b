"""More than it can carry, for a few seconds; `make bench` measures the same for a minute."""

import asyncio
import json
import sys
import time
from pathlib import Path

import psutil
from aiohttp import ClientSession, ClientTimeout

from tests.faults.service import served

SECONDS = 6
# What waits would take 300 MB and more if all of it were let in.
OPTIONS = "--rate 0 --batch 1000 --format ndjson --connections 400 --timeout 60s --quiet"
EVENT = {"timestamp": 1_539_112_021_301, "tag": "brasil.sul.well", "valor": "1"}


async def flood(url: str, results: Path) -> None:
    options = [*OPTIONS.split(), "--duration", f"{SECONDS}s", "--url", url, "--results", str(results)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadgen", "run", *options, stdout=asyncio.subprocess.DEVNULL
    )
    await process.wait()


async def test_what_is_beyond_its_capacity_is_refused_memory_stays_flat_and_it_is_well_afterwards(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "data") as service:
        async with ClientSession(service.url, timeout=ClientTimeout(60)) as client:
            flooding = asyncio.create_task(flood(service.url, tmp_path / "run.jsonl"))
            most_bytes = probes = 0
            while not flooding.done():
                async with client.get("/health") as answer:
                    assert answer.status == 200
                probes += 1
                most_bytes = max(most_bytes, psutil.Process(service.popen.pid).memory_info().rss)
                await asyncio.sleep(0.1)
            summary = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[-1])
            assert summary["errors"].get("HTTP 503", 0) > 0, summary
            assert summary["acked"] > 0, summary
            assert set(summary["errors"]) == {"HTTP 503"}, summary
            assert most_bytes < 200 * 2**20
            assert probes > SECONDS / 2
            await until_well(client)
            async with client.get("/counts") as answer:
                # What was refused was not kept, what was acked is there.
                assert (await answer.json())["events"] == summary["acked"] + 1


async def until_well(client: ClientSession) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        async with client.post("/events", json=EVENT) as answer:
            if answer.status == 202:
                return
        await asyncio.sleep(0.1)
    raise AssertionError("it still refuses what it could carry")
