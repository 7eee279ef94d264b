"""The page's files over HTTP."""

import asyncio
import gzip
import re
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession

from ingest.web import assets

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_bare_address_leads_to_the_page(service: ClientSession) -> None:
    async with service.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/view_sensor")


async def test_every_file_that_the_page_names_is_there_with_its_type(service: ClientSession) -> None:
    async with service.get("/view_sensor") as answer:
        page = await answer.text()
    names = {name for name in re.findall(r'(?:href|src)="(/[^"]*)"', page) if name.startswith("/assets/")}
    assert len(names) == 4, names
    folder = Path(assets.__file__).parent / "assets"
    for path in folder.glob("*.js"):
        names |= {f"/assets/{name}" for name in re.findall(r"from '\./([^']+)'", path.read_text())}
        names |= set(re.findall(r"'(/assets/[^']+)'", path.read_text()))
    assert {path.name for path in folder.iterdir()} - {"index.html"} | {"plotly.min.js"} == {n[8:] for n in names}
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for name in sorted(names):
        async with service.get(name) as answer:
            assert (answer.status, answer.content_type) == (200, types[Path(name).suffix]), name


@pytest.mark.parametrize("path", ["/view_sensor", "/assets/page.js", "/assets/plotly.min.js"])
async def test_files_come_compressed_once_and_then_not_at_all(service: ClientSession, path: str) -> None:
    async with service.get(path, headers={"Accept-Encoding": "identity"}) as answer:
        plain = await answer.read()
        assert "Content-Encoding" not in answer.headers
    async with ClientSession(service._base_url, auto_decompress=False) as client:
        async with client.get(path, headers={"Accept-Encoding": "br, gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            packed = await answer.read()
            tag = answer.headers["ETag"]
            assert answer.headers["Cache-Control"] == "no-cache"
        async with client.get(path, headers={"If-None-Match": tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers["ETag"] == tag
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 2


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fpage.py", "__init__.py", "index.html%00", "%2e%2e/assets.py"])
async def test_there_is_nothing_else(service: ClientSession, name: str) -> None:
    async with service.get(f"/assets/{name}") as answer:
        assert answer.status == 404, await answer.text()


async def test_who_takes_nothing_of_a_large_file_holds_nothing_of_it(service: ClientSession) -> None:
    url = service._base_url
    assert url is not None
    async with service.get("/assets/plotly.min.js", headers={"Accept-Encoding": "identity"}) as answer:
        whole = await answer.read()
    before = psutil.Process().memory_info().rss
    streams = [await asyncio.open_connection(url.host, url.port, limit=2**12) for _ in range(60)]
    for _, writer in streams:
        writer.write(b"GET /assets/plotly.min.js HTTP/1.1\r\nHost: p\r\n\r\n")
    await asyncio.sleep(1)
    assert psutil.Process().memory_info().rss - before < 10 * len(whole)
    reader, _ = streams[0]
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(len(whole)) == whole
    for _, writer in streams:
        writer.transport.abort()
