"""``GET /series`` on the running service: lines of numbers for a graph."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from ingest.minutes import MINUTE_MS
from ingest.settings import Settings
from tests.ingest.service import serving, unreachable_influx_settings

START_MS = 1_539_112_020_000


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ClientSession]:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        yield client


async def get(client: ClientSession, query: str, status: int = 200) -> Any:
    async with client.get(f"/series?{query}") as answer:
        text = await answer.text()
        assert answer.status == status, text
        return json.loads(text)


async def test_only_numbers_make_a_line(client: ClientSession) -> None:
    valores = ["1.5", "on", "", "nan", "-3", "1e1", "12,5", "0x10"]
    events = [
        {"timestamp": START_MS + i * 1_000, "tag": f"brasil.sul.s{i % 2}", "valor": valor}
        for i, valor in enumerate(valores)
    ]
    async with client.post("/events", json=events) as answer:
        assert answer.status == 202
    found = await get(
        client, f"path=brasil.sul&path=brasil.sul.s1&path=brasil&start={START_MS}&stop={START_MS + 8_000}&step=5000"
    )
    assert found == {
        "start": START_MS,
        "stop": START_MS + 10_000,
        "step_ms": 5_000,
        "source": "events",
        "series": [
            {
                "path": path,
                "times": times,
                "n": n,
                "mean": mean,
                "min": least,
                "max": most,
            }
            for path, times, n, mean, least, most in (
                ("brasil.sul", [START_MS, START_MS + 5_000], [2, 1], [-0.75, 10.0], [-3.0, 10.0], [1.5, 10.0]),
                ("brasil.sul.s1", [START_MS + 5_000], [1], [10.0], [10.0], [10.0]),
                ("brasil", [START_MS, START_MS + 5_000], [2, 1], [-0.75, 10.0], [-3.0, 10.0], [1.5, 10.0]),
            )
        ],
    }


async def test_a_range_without_ends_is_the_last_quarter_of_an_hour(client: ClientSession) -> None:
    found = await get(client, "path=brasil.sul")
    assert found["stop"] - found["start"] in (15 * MINUTE_MS, 15 * MINUTE_MS + found["step_ms"])
    assert found["series"] == [{"path": "brasil.sul", "times": [], "n": [], "mean": [], "min": [], "max": []}]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "ask for 1 to 12 paths"),
        ("&".join(f"path=a.b.s{i}" for i in range(13)), "ask for 1 to 12 paths"),
        ("path=a.b.c.d", "must be country, country.region or country.region.sensor"),
        ("path=a..c", "must be country"),
        ("path=a'b", "must be country"),
        ("path=a&start=2024-01-02&stop=2024-01-01", "start must be before stop"),
        ("path=a&start=yesterday", "start must be Unix milliseconds"),
        ("path=a&points=0", "points must be a whole number above 0"),
        ("path=a&step=7", "step must be one of 1000, 2000"),
        ("path=a&step=1000&start=2024-01-01&stop=2024-01-02", "at most 15 minutes"),
        ("path=a&start=9223372036800&stop=9223372036853", "beyond the times"),
        ("path=a&start=-9223372036853&stop=-9223372036800", "beyond the times"),
        ("path=a&start=1990-01-01&stop=2024-01-01", "more than 5000 steps"),
    ],
)
async def test_what_cannot_be_drawn_is_said(client: ClientSession, query: str, said: str) -> None:
    answer = await get(client, query, 400)
    assert answer["code"] == "bad_parameter"
    assert said in answer["message"]


async def test_a_store_that_is_away_is_said(tmp_path: Path) -> None:
    async with serving(unreachable_influx_settings(tmp_path)) as client:
        assert (await get(client, "path=a", 503))["code"] == "store_unavailable"
