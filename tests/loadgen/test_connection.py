"""The client against servers that behave, misbehave, and vanish. Each server is a script of raw bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from loadgen.connection import Answer, Connection, NoAnswerError
from loadgen.target import Target

PAYLOAD = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking_to(script: Script, timeout_seconds: float = 5) -> AsyncIterator[Connection]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = Connection(Target("127.0.0.1", server.sockets[0].getsockname()[1], ""), timeout_seconds)
    try:
        yield connection
    finally:
        await connection.close()
        server.close()
        await server.wait_closed()


def saying(*answers: bytes) -> tuple[Script, list[int]]:
    """A server that gives these answers on every connection, one a request, and then hangs up."""
    opened: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(len(opened))
        for answer in answers:
            await reader.readexactly(len(PAYLOAD))
            writer.write(answer)

    return script, opened


async def test_a_connection_is_kept_for_many_requests() -> None:
    script, opened = saying(OK, OK, OK)
    async with talking_to(script) as connection:
        answers = [await connection.request(PAYLOAD) for _ in range(3)]
    assert answers == [Answer(202, b"ok")] * 3
    assert len(opened) == 1


async def test_a_connection_the_server_ended_in_peace_is_opened_again_without_an_error() -> None:
    closing = b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    script, opened = saying(closing)
    async with talking_to(script) as connection:
        answers = [await connection.request(PAYLOAD) for _ in range(3)]
    assert answers == [Answer(202, b"ok")] * 3
    assert len(opened) == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", Answer(200, b"ok")),
        (b"HTTP/1.0 200 OK\r\n\r\nok", Answer(200, b"ok")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, b"")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Answer(202, b"ok")),
    ],
    ids=["chunked", "until the end of the connection", "no content", "after a 100"],
)
async def test_every_way_to_frame_an_answer_is_understood(answer: bytes, expected: Answer) -> None:
    script, _ = saying(answer)
    async with talking_to(script) as connection:
        assert await connection.request(PAYLOAD) == expected


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection closed before the answer"),
        (OK[:-1], "connection closed before the answer"),
        (b"HTTP/1.1 204", "connection closed before the answer"),
        (b"HTTP/1.1 204 No Content\r\n", "connection closed before the answer"),
        (b"HTTP/1.1 200 OK\r\nServer: x", "connection closed before the answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "connection closed before the answer"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "the answer is not HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "the answer is not HTTP"),
    ],
    ids=[
        "nothing",
        "half an answer",
        "half a status line",
        "half a head of no content",
        "half a head",
        "only a 100",
        "an upgrade",
        "another protocol",
    ],
)
async def test_no_whole_answer_is_told_with_its_reason(answer: bytes, reason: str) -> None:
    script, opened = saying(answer)
    async with talking_to(script) as connection:
        for _ in range(2):
            with pytest.raises(NoAnswerError, match=f"^{reason}$"):
                await connection.request(PAYLOAD)
    assert len(opened) == 2, "one connection a request, and nothing sent twice"


@pytest.mark.parametrize("first", [b"HTTP/1.1 204 No Content\r\n\r\n", OK], ids=["no content", "a length"])
@pytest.mark.parametrize(
    "then", [b"", b"HTTP/1.1 204", b"HTTP/1.1 202 Acc"], ids=["nothing", "half a 204", "half a 202"]
)
async def test_a_connection_closed_in_the_next_request_does_not_repeat_the_answer_before(
    first: bytes, then: bytes
) -> None:
    script, opened = saying(first, then)
    async with talking_to(script) as connection:
        await connection.request(PAYLOAD)
        with pytest.raises(NoAnswerError, match=r"^connection closed before the answer$"):
            await connection.request(PAYLOAD)
    assert len(opened) == 1, "both requests went over one connection"


async def test_half_an_answer_nobody_asked_for_is_not_the_one_to_the_next_request() -> None:
    script, opened = saying(OK + b"HTTP/1.1 2")
    async with talking_to(script) as connection:
        assert [await connection.request(PAYLOAD) for _ in range(2)] == [Answer(202, b"ok")] * 2
    assert len(opened) == 2


async def test_an_endless_answer_is_left() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(PAYLOAD))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with talking_to(script) as connection:
        with pytest.raises(NoAnswerError, match=r"^the answer is larger than 16 MiB$"):
            await connection.request(PAYLOAD)


async def test_a_reset_is_told_as_one() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Closing with bytes still unread makes the kernel send a reset.
        await reader.read(1)
        writer.transport.abort()

    async with talking_to(script) as connection:
        with pytest.raises(NoAnswerError, match=r"^connection (reset by peer|closed before the answer)$"):
            await connection.request(PAYLOAD + b" " * 1_000_000)


async def test_a_silent_server_is_left_after_the_timeout_and_the_next_request_gets_a_new_connection() -> None:
    heard: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readexactly(len(PAYLOAD)))
        if len(heard) > 1:
            writer.write(OK)
        await reader.read()

    async with talking_to(script, timeout_seconds=0.1) as connection:
        with pytest.raises(NoAnswerError, match=r"^no answer within 0\.1 s$"):
            await connection.request(PAYLOAD)
        assert await connection.request(PAYLOAD) == Answer(202, b"ok")
    assert len(heard) == 2


async def test_the_timeout_of_one_request_does_not_cut_the_next_one_short() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readexactly(len(PAYLOAD)):
            await asyncio.sleep(0.25)
            writer.write(OK)

    async with talking_to(script, timeout_seconds=0.4) as connection:
        for _ in range(2):
            assert await connection.request(PAYLOAD) == Answer(202, b"ok")


async def test_nobody_listening_is_a_refused_connection(nobody_url: str) -> None:
    connection = Connection(Target.parse(nobody_url), 5)
    with pytest.raises(NoAnswerError, match=r"^connection refused$"):
        await connection.request(PAYLOAD)
