"""Every answer of the real service tells a browser to run, keep, guess and share nothing of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession

from ingest.settings import Settings
from tests.ingest.service import put, serving

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PAGES = ("/view_sensor", "/assets/page.js", "/assets/icon.svg")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ClientSession]:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        yield client


def hold(answer: ClientResponse, but: tuple[str, ...] = ()) -> None:
    shown = {name: answer.headers.get(name) for name in HEADERS if name not in but}
    assert shown == {name: value for name, value in HEADERS.items() if name not in but}, answer
    assert "Server" not in answer.headers, answer


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv", "text/plain", "text/html"])
@pytest.mark.parametrize(
    "path", ["/get_data", "/counts", "/series?path=a", "/health", "/ready", "/metrics", "/", "/x", "/events"]
)
async def test_every_answer_has_them(client: ClientSession, path: str, accept: str) -> None:
    async with client.get(path, headers={"Accept": accept}, allow_redirects=False) as answer:
        hold(answer)
    async with client.options(path, allow_redirects=False) as answer:
        hold(answer)


async def test_answers_to_writers_have_them_too(client: ClientSession) -> None:
    for path, body, status in (
        ("/events", b'{"timestamp": 1539112021301, "tag": "a.b.c", "valor": 1}', 202),
        ("/events", b"x", 400),
        ("/write", b"events,country=a,region=b,sensor=c value=1", 204),
        ("/write?precision=x", b"", 400),
    ):
        async with client.post(path, data=body, headers={"Content-Type": "application/json"}) as answer:
            assert answer.status == status
            hold(answer)


@pytest.mark.parametrize("request_line", [b"GET /\xff HTTP/1.1", b"rubbish", b"GET / HTTP/9"])
async def test_what_is_no_http_gets_them_and_is_not_logged(
    client: ClientSession, request_line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    url = client._base_url
    assert url is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(request_line + b"\r\nHost: x\r\nAccept: text/html\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.split(b" ")[1] == b"400", head
    lines = head.decode().split("\r\n")
    assert {f"{name}: {value}" for name, value in HEADERS.items()} <= set(lines), head
    assert not any("python" in line.lower() or "aiohttp" in line.lower() for line in lines), head
    assert json.loads(body)["code"] == "bad_request"
    assert caplog.records == []


async def test_the_stream_has_them(client: ClientSession) -> None:
    async with client.get("/events/stream") as answer:
        hold(answer)


@pytest.mark.parametrize("path", PAGES)
async def test_the_page_runs_its_own_scripts_alone(client: ClientSession, path: str) -> None:
    async with client.get(path) as answer:
        hold(answer, but=("Content-Security-Policy", "Cache-Control"))
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    async with client.get(path, headers={"If-None-Match": answer.headers["ETag"]}) as unchanged:
        assert unchanged.status == 304
        hold(unchanged, but=("Content-Security-Policy", "Cache-Control"))


async def test_csv_is_a_file_and_runs_nothing_in_a_spreadsheet(client: ClientSession) -> None:
    await put(client, (1_539_112_021_301, "-a.b.c", "=1+1"), (1_539_112_021_300, "a.b.c", "-12"))
    async with client.get("/get_data", headers={"Accept": "text/csv"}) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="events.csv"'
        assert (await answer.text()).splitlines()[1:] == [
            "1539112021301,'-a.b.c,'=1+1,processado",
            "1539112021300,a.b.c,-12,processado",
        ]
