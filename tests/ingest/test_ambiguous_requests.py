"""Requests whose end two servers could see in different places: no proxy in front can be led to let one slip by."""

import asyncio
from pathlib import Path

import pytest

from ingest.settings import Settings
from tests.ingest.service import serving

POST = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
EVENT = b'{"timestamp":1539112021301,"tag":"a.b.c","valor":"1"}'


@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % len(EVENT) + EVENT,
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + EVENT,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5g\r\nabcde\r\n0\r\n\r\n",
        POST + b"Content-Length : 5\r\n\r\nabcde",
        POST + b"Content-Length: +5\r\n\r\nabcde",
        POST + b"Content-Length: 99999999999999999999999\r\n\r\nabcde",
        POST + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        b"GET /health HTTP/1.1\nHost: x\n\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
    ],
)
async def test_one_is_refused_and_its_connection_ends(tmp_path: Path, request_bytes: bytes) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        url = client._base_url
        assert url is not None
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(request_bytes + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        assert answer.split(b" ")[1] == b"400", answer
        assert answer.count(b"HTTP/1.") == 1, "what followed was answered, too"
