from pathlib import Path

from aiohttp import ClientSession

from ingest.settings import Settings
from tests.ingest.service import put, serving

EVENT = (1_539_112_021_301, "brasil.sul.s1", "23.5")
TOKENS = "first:all:first-0123456789,second:all:second-0123456789"


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}-0123456789"}


async def statuses(client: ClientSession, path: str, name: str, number: int) -> list[int]:
    found = []
    for _ in range(number):
        async with client.get(path, headers=bearer(name)) as answer:
            found.append(answer.status)
    return found


async def test_who_asks_too_often_is_told_when_to_come_back_and_others_are_not(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path, tokens=TOKENS, max_requests_a_second=0.1)) as client:
        assert await statuses(client, "/counts", "first", 1) == [200]
        async with client.post("/events", headers=bearer("first"), json={}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
            assert (await answer.json())["code"] == "too_many_requests"
        async with client.post("/api/v2/write", headers=bearer("first"), data="m v=1") as answer:
            assert (await answer.json())["code"] == "too many requests"
        assert await statuses(client, "/counts", "second", 2) == [200, 429]
        for path in ("/health", "/metrics"):
            assert await statuses(client, path, "first", 5) == [200] * 5
        async with client.get("/metrics", headers=bearer("first")) as answer:
            text = await answer.text()
        assert 'ingest_requests_refused_total{client="first",reason="too_many_requests"} 2.0' in text


async def test_all_without_a_token_share_one_allowance(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path, max_requests_a_second=2.0)) as client:
        await put(client, EVENT)
        await put(client, EVENT)
        async with client.get("/counts") as answer:
            assert answer.status == 429
            assert "anonymous" in (await answer.json())["message"]


async def test_without_a_limit_nobody_is_counted(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        for _ in range(50):
            await put(client, EVENT)
