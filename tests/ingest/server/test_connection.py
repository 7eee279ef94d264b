"""Hostile clients on real sockets: each is ended in time, and none stops the others."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from ingest.settings import Settings
from tests.ingest.service import put, serving

EVENT = (1_539_112_021_301, "brasil.sul.s1", "23.5")
HEAD = b"POST /events HTTP/1.1\r\nHost: pulso\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
JSON = {"Content-Type": "application/json"}
MANY = 500

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(client: ClientSession, number: int = 1) -> AsyncIterator[list[Stream]]:
    """Plain connections to the service."""
    url = client._base_url
    assert url is not None
    streams = [await asyncio.open_connection(url.host, url.port, limit=2**16) for _ in range(number)]
    try:
        yield streams
    finally:
        for _, writer in streams:
            writer.transport.abort()


async def gauge(client: ClientSession, name: str) -> float:
    async with client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"ingest_{name} "))


async def all_ended(streams: list[Stream], seconds: float) -> list[bytes]:
    """What each client read until its connection was ended."""
    async with asyncio.timeout(seconds):
        return list(await asyncio.gather(*(rest(reader) for reader, _ in streams)))


async def rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b"reset"


async def dribble(streams: list[Stream], text: bytes) -> None:
    """A byte a turn to each, for ever."""
    for number in range(10**9):
        for _, writer in streams:
            if not writer.is_closing():
                writer.write(text[number % len(text) :][:1])
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(("before", "text"), [(b"", b"GET /health HTTP/1.1\r\nX-Slow: " + b"x" * 10**6), (HEAD, b"{")])
async def test_hundreds_that_dribble_stop_nobody_and_are_ended_in_time(
    tmp_path: Path, before: bytes, text: bytes
) -> None:
    settings = Settings(port=0, data_dir=tmp_path, head_timeout_seconds=1.0, body_timeout_seconds=1.0)
    async with serving(settings) as client, connected(client, MANY) as streams:
        for _, writer in streams:
            writer.write(before)
        dribbling = asyncio.create_task(dribble(streams, text))
        for number in range(20):
            await put(client, (EVENT[0] + number, *EVENT[1:]))
        answers = await all_ended(streams, 30)
        dribbling.cancel()
        if before:
            assert all(b" 408 " in answer or answer == b"reset" for answer in answers), answers[0]
        await put(client, EVENT)
        assert await gauge(client, "connections") <= 2


async def test_who_takes_no_answer_is_ended_and_fills_no_memory(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path, answer_timeout_seconds=1.0)) as client:
        async with client.post("/events", data=io.BytesIO(big_events(20)), headers=JSON) as answer:
            assert answer.status == 202
        async with connected(client, 50) as streams:
            for _, writer in streams:
                # Nobody reads: the stream takes what fits its buffer, and then nothing more.
                writer.write(b"GET /get_data HTTP/1.1\r\nHost: pulso\r\n\r\n" * 2000)
            deadline = time.monotonic() + 30
            while await gauge(client, "connections") > 1:
                assert time.monotonic() < deadline, "some are still connected"
                await put(client, EVENT)
                await asyncio.sleep(0.1)


def big_events(number: int) -> bytes:
    rows = (
        f'{{"timestamp": {EVENT[0] + row}, "tag": "{EVENT[1]}", "valor": "{"x" * 60_000}"}}' for row in range(number)
    )
    return f"[{','.join(rows)}]".encode()


async def test_a_connection_that_rests_too_long_is_ended(tmp_path: Path) -> None:
    async with (
        serving(Settings(port=0, data_dir=tmp_path, idle_timeout_seconds=1.0)) as client,
        connected(client) as streams,
    ):
        assert await all_ended(streams, 20) == [b""]


@pytest.mark.parametrize(
    "request_text",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /health HTTP/1.1\r\nHost: p\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: p\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: p\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"POST /events HTTP/1.1\r\nHost: p\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /events HTTP/1.1\r\nHost: p\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /events HTTP/1.1\r\nHost: p\r\nContent-Length: -5\r\n\r\n",
    ],
    ids=["tls", "header", "url", "headers", "two lengths", "length and chunks", "negative length"],
)
async def test_what_is_no_http_gets_a_400_and_no_line_of_the_log(
    tmp_path: Path, request_text: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client, connected(client) as streams:
        streams[0][1].write(request_text)
        (answer,) = await all_ended(streams, 20)
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 ")), answer
        assert b'"code":"bad_request"' in answer
        await put(client, EVENT)
        assert "Traceback" not in capfd.readouterr().err


async def test_pipelined_requests_are_all_answered_in_order(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client, connected(client) as streams:
        reader, writer = streams[0]
        body = b'{"timestamp": 1539112021301, "tag": "brasil.sul.s1", "valor": "1"}'
        post = b"POST /events HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        writer.write(post * 2000 + b"GET /health HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")
        answers = await rest(reader)
        assert answers.count(b"HTTP/1.1 202 ") == 2000
        assert answers.endswith(b'{"status":"pass"}\n')


async def test_a_body_that_is_too_long_is_refused_at_its_head(tmp_path: Path) -> None:
    async with (
        serving(Settings(port=0, data_dir=tmp_path, max_body_bytes=1024)) as client,
        connected(client) as streams,
    ):
        reader, writer = streams[0]
        writer.write(HEAD.replace(b"1000", b"1025\r\nExpect: 100-continue"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")


async def test_a_client_that_waits_for_it_is_told_to_go_on(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client, connected(client) as streams:
        reader, writer = streams[0]
        body = b'{"timestamp": 1539112021301, "tag": "brasil.sul.s1", "valor": "1"}'
        writer.write(HEAD.replace(b"1000", b"%d\r\nExpect: 100-continue" % len(body)))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 202 ")


async def test_bodies_beyond_what_may_be_at_work_are_refused_and_small_ones_are_not(tmp_path: Path) -> None:
    async with (
        serving(Settings(port=0, data_dir=tmp_path, max_pending_bytes=5_000)) as client,
        connected(client) as streams,
    ):
        streams[0][1].write(HEAD.replace(b"1000", b"7000") + b"[" + b" " * 5_999)
        while await gauge(client, "body_bytes_at_work") < 6000:
            await asyncio.sleep(0.01)
        async with client.post("/events", data=b" " * 5_000) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            assert (await answer.json())["code"] == "overloaded"
        await put(client, EVENT)
        async with client.post("/api/v2/write", data=b" " * 5_000) as answer:
            assert (await answer.json())["code"] == "unavailable"
        streams[0][1].close()
        while await gauge(client, "body_bytes_at_work"):
            await asyncio.sleep(0.01)
        async with client.post("/events", data=b"[" + b" " * 5_000 + b"]", headers=JSON) as answer:
            assert answer.status == 400


async def test_a_body_whose_chunks_are_mostly_packing_is_cut(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client, connected(client) as streams:
        reader, writer = streams[0]
        writer.write(HEAD.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked"))
        async with asyncio.timeout(20):
            while not writer.is_closing():
                writer.write((b"1;" + b"a=b;" * 20 + b"\r\n \r\n") * 1000)
                await asyncio.sleep(0)
            await rest(reader)
        await put(client, EVENT)


async def test_a_body_in_chunks_of_one_byte_is_taken(tmp_path: Path) -> None:
    body = b'{"timestamp": 1539112021301, "tag": "brasil.sul.s1", "valor": "' + b"x" * 30_000 + b'"}'
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    async with serving(Settings(port=0, data_dir=tmp_path)) as client, connected(client) as streams:
        reader, writer = streams[0]
        writer.write(HEAD.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked"))
        for start in range(0, len(chunks), 5_000):
            writer.write(chunks[start : start + 5_000])
            await asyncio.sleep(0)
        assert (await reader.readline()).startswith(b"HTTP/1.1 202 ")


async def test_who_announces_much_or_sends_slowly_keeps_no_large_body_out(tmp_path: Path) -> None:
    settings = Settings(port=0, data_dir=tmp_path, max_pending_bytes=50_000)
    async with serving(settings) as client, connected(client, 2) as streams:
        streams[0][1].write(HEAD.replace(b"1000", b"16000000"))
        streams[1][1].write(HEAD.replace(b"1000", b"70000") + b"[" + b" " * 59_999)
        while await gauge(client, "body_bytes_at_work") < 60_000:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            while True:
                async with client.post("/events", data=b" " * 5_000, headers=JSON) as answer:
                    # 400: it was read, and holds no event.
                    if answer.status == 400:
                        break
                    assert answer.status == 503
                await asyncio.sleep(0.1)
            assert b"overloaded" in await streams[1][0].readuntil(b"}")


async def test_who_connects_and_says_nothing_is_ended_as_one_that_never_ends_its_head(tmp_path: Path) -> None:
    settings = Settings(port=0, data_dir=tmp_path, head_timeout_seconds=0.5)
    async with serving(settings) as client, connected(client) as streams:
        assert await all_ended(streams, 20) in ([b""], [b"reset"])


async def test_where_it_is_full_the_silent_make_room_for_who_comes(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path, max_connections=20)) as client:
        await put(client, EVENT)
        async with connected(client, 19) as silent:
            await asyncio.sleep(1.2)
            async with connected(client, 10) as streams:
                for reader, writer in streams:
                    writer.write(b"GET /health HTTP/1.1\r\nHost: p\r\n\r\n")
                    assert b" 200 " in await reader.readline()
            assert sum(reader.at_eof() or reader.exception() is not None for reader, _ in silent) >= 10
            # Who has said something before is kept.
            assert client.connector is not None
            before = len(client.connector._conns)
            await put(client, EVENT)
            assert len(client.connector._conns) == before == 1


async def test_who_ends_only_its_own_side_gets_the_answers_to_its_writes(tmp_path: Path) -> None:
    body = b'{"timestamp": 1539112021301, "tag": "brasil.sul.s1", "valor": "1"}'
    async with serving(Settings(port=0, data_dir=tmp_path)) as client, connected(client, 2) as streams:
        for (_, writer), number in zip(streams, (1, 5), strict=True):
            writer.write((HEAD.replace(b"1000", b"%d" % len(body)) + body) * number)
            writer.write_eof()
        answers = await all_ended(streams, 20)
        assert [answer.count(b" 202 ") for answer in answers] == [1, 5]


@pytest.mark.parametrize("line", [b"POST /events", b"GET /health", b"GET /nowhere"])
async def test_an_expectation_that_nobody_knows_is_an_error_like_any_other(tmp_path: Path, line: bytes) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client, connected(client) as streams:
        streams[0][1].write(line + b" HTTP/1.1\r\nHost: p\r\nExpect: foo\r\nConnection: close\r\n\r\n")
        (answer,) = await all_ended(streams, 20)
        assert answer.startswith(b"HTTP/1.1 417 ")
        assert b'"code":"expectation_failed"' in answer


async def test_http_1_0_is_never_told_to_go_on(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client, connected(client) as streams:
        streams[0][1].write(HEAD.replace(b"/1.1", b"/1.0").replace(b"1000", b"2\r\nExpect: 100-continue"))
        await asyncio.sleep(0.1)
        streams[0][1].write(b"{}")
        (answer,) = await all_ended(streams, 20)
        assert answer.startswith(b"HTTP/1.0 400 "), answer
