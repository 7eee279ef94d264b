"""Who is let in where, with the service as it is wired."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession

from ingest.settings import Settings
from tests.ingest.service import serving

WRITER, READER, ADMIN = "writer-0123456789", "reader-0123456789", "admin-0123456789"
TOKENS = f"gateway:write:{WRITER},page:read:{READER},admin:all:{ADMIN}"
EVENT = {"timestamp": 1_539_112_021_301, "tag": "brasil.sul.s1", "valor": "1"}
LINE = "events,country=brasil,region=sul,sensor=s1 value=1"
WRITES = ("/events", "/get_sensor", "/api/v2/write", "/write")
METHODS = ("get", "post", "put", "delete", "patch")
READS = ("/get_data", "/counts", "/series?path=brasil", "/metrics", "/", "/view_sensor", "/assets/page.js")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ClientSession]:
    async with serving(Settings(port=0, data_dir=tmp_path, tokens=TOKENS)) as client:
        yield client


async def post(client: ClientSession, path: str, headers: Mapping[str, str]) -> tuple[int, Any]:
    body: dict[str, Any] = {"data": LINE} if "write" in path else {"json": EVENT}
    async with client.post(path, headers=headers, **body) as answer:
        return answer.status, await answer.json() if answer.status != 204 else None


async def status(client: ClientSession, path: str, headers: Mapping[str, str], method: str = "GET") -> int:
    async with client.request(method, path, headers=headers, allow_redirects=False) as answer:
        await answer.read()
        return answer.status


@pytest.mark.parametrize("path", WRITES)
async def test_writing_needs_a_token_for_writing(client: ClientSession, path: str) -> None:
    accepted = 204 if "write" in path else 202
    for token in (WRITER, ADMIN):
        assert (await post(client, path, bearer(token)))[0] == accepted
    code, answer = await post(client, path, bearer(READER))
    assert (code, answer) == (403, {"code": "forbidden", "message": "the token of page may not write"})
    for headers in ({}, bearer(WRITER[:-1]), {"Authorization": "Bearer"}):
        code, answer = await post(client, path, headers)
        assert (code, answer["code"]) == (401, "unauthorized"), (headers, answer)


@pytest.mark.parametrize("path", READS)
async def test_reading_needs_a_token_for_reading(client: ClientSession, path: str) -> None:
    for method in ("GET", "HEAD") if path != "/get_data" else ("GET",):
        for token in (READER, ADMIN):
            assert await status(client, path, bearer(token), method) in (200, 302)
        assert await status(client, path, bearer(WRITER), method) == 403
        assert await status(client, path, {}, method) == 401


async def test_a_refusal_asks_a_browser_for_a_password(client: ClientSession) -> None:
    async with client.get("/view_sensor") as answer:
        assert answer.headers.getall("WWW-Authenticate") == ['Basic realm="pulso"', "Bearer"]
    password = base64.b64encode(f"anybody:{READER}".encode()).decode()
    assert await status(client, "/view_sensor", {"Authorization": f"Basic {password}"}) == 200


async def test_health_is_for_all_and_why_it_is_not_ready_for_readers(tmp_path: Path) -> None:
    archive = tmp_path / "files"
    async with serving(Settings(port=0, data_dir=tmp_path, tokens=TOKENS, archive_dir=archive)) as client:
        assert await status(client, "/health", {}) == 200
        for headers in ({}, bearer("wrong-0123456789"), bearer(READER)):
            async with client.get("/ready", headers=headers) as answer:
                assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": [], "warnings": []})


async def test_without_tokens_all_may_do_everything_and_a_token_is_not_looked_at(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        for headers in ({}, {"Authorization": "Token any"}, {"Authorization": "nonsense"}):
            assert (await post(client, "/write", headers))[0] == 204
            assert await status(client, "/get_data", headers) == 200


async def test_anonymous_if_allowed_beside_tokens_but_no_wrong_token(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path, tokens=TOKENS, allow_anonymous=True)) as client:
        assert (await post(client, "/events", {}))[0] == 202
        # As an InfluxDB client does that has no token.
        assert (await post(client, "/write", {"Authorization": "Token "}))[0] == 204
        assert await status(client, "/get_data", {}) == 200
        assert (await post(client, "/events", bearer("wrong-0123456789")))[0] == 401
        assert (await post(client, "/events", bearer(READER)))[0] == 403


async def test_no_page_of_another_site_writes(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Origin": "http://evil.example"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
        ):
            assert await post(client, "/write", headers) == (
                403,
                {"code": "forbidden", "message": "a page of another site may not have a browser do this"},
            )
            assert (await post(client, "/events", headers))[1]["code"] == "cross_site"
        assert await status(client, "/get_data", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}) == 403
        assert await status(client, "/get_data", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}) == 200
        assert (await post(client, "/write", {"Sec-Fetch-Site": "same-origin"}))[0] == 204


async def test_a_name_that_may_be_anybodys_is_for_those_with_a_token(tmp_path: Path) -> None:
    settings = Settings(
        port=0, data_dir=tmp_path, tokens=TOKENS, allow_anonymous=True, host_names="pulso.example.org, a.b"
    )
    async with serving(settings) as client:
        evil = {"Host": "evil.example:5000"}
        assert await status(client, "/get_data", evil) == 403
        assert (await post(client, "/events", evil))[1]["code"] == "unknown_host"
        assert await status(client, "/get_data", evil | bearer(READER)) == 200
        assert await status(client, "/get_data", {"Host": "pulso.example.org"}) == 200
        assert await status(client, "/health", evil) == 200


async def test_what_is_refused_is_counted_by_reason_and_known_client(client: ClientSession) -> None:
    await post(client, "/events", {})
    await post(client, "/events", bearer("wrong-0123456789"))
    await post(client, "/events", bearer(READER))
    async with client.get("/metrics", headers=bearer(READER)) as answer:
        text = await answer.text()
    assert 'ingest_requests_refused_total{client="",reason="unauthorized"} 2.0' in text
    assert 'ingest_requests_refused_total{client="page",reason="forbidden"} 1.0' in text
    assert 'ingest_token_last_used_timestamp_seconds{client="gateway"} 0.0' in text
    [used] = re.findall(r'ingest_token_last_used_timestamp_seconds{client="page"} (.*)', text)
    assert abs(float(used) - time.time()) < 60


async def test_a_refusal_comes_before_the_body_and_asks_for_none(client: ClientSession) -> None:
    url = client._base_url
    assert url is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
    writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 401 ")
    writer.close()
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"{head}Authorization: Bearer {WRITER}\r\nExpect: 100-continue\r\n\r\n".encode())
    assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 100 ")
    writer.close()


async def test_no_route_but_the_open_ones_answers_a_stranger(client: ClientSession) -> None:
    description = yaml.safe_load(files("ingest.routes").joinpath("openapi.yaml").read_text())
    routes = [
        (path.replace("{name}", "page.js"), method)
        for path, item in description["paths"].items()
        for method in item
        if method in METHODS
    ]
    assert len(routes) > 10
    answers = {(path, method): await status(client, path, {}, method.upper()) for path, method in routes}
    assert {path for (path, _), code in answers.items() if code != 401} == {"/health", "/ready", "/openapi.yaml"}
