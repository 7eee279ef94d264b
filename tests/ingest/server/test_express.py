"""The express lane: the same answers as aiohttp's own, sooner."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import DiskFailed, SpoolFull
from ingest.settings import Settings
from tests.ingest.server.lanes import EVENT, TWO, Client, let_in, post, serving, went_express

TOKENS = "first:write:first-0123456789,reader:read:reader-0123456789"
BEARER = (b"Host: p", b"Authorization: Bearer first-0123456789")

BODIES = {
    "one": (EVENT, True),
    "array": (TWO, True),
    "one in a line": (EVENT + b"\n", True),
    "large": (b"[" + b",".join([EVENT] * 100) + b"]", True),
    "huge": (b" " * 300_000 + EVENT, True),
    "number": (EVENT.replace(b'"1"', b"23.5"), True),
    "escaped": (EVENT.replace(b'"1"', b'"\\u00e9"'), True),
    "large and not plain": (b"[" + b",".join([EVENT] * 300) + b",{}]", True),
    "no JSON": (b"{", True),
    "empty": (b"", True),
    "blank": (b" ", True),
    "old": (EVENT.replace(b"1539112021301", b"1"), True),
    "some refused": (b"[" + EVENT + b",{}]", True),
    "twice the key": (EVENT.replace(b"{", b'{"tag":"a.b.c",'), True),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_head_that_was_let_in_is_answered_alike_in_both_lanes(name: str) -> None:
    body, is_express = BODIES[name]
    async with serving() as lanes, lanes.client() as ordinary, lanes.client() as known:
        expected = await ordinary.ask(post(body))
        kept = len(lanes.sink.kept)
        await let_in(known, body=EVENT + b" " * 7)
        for _ in range(3):
            assert await went_express(lanes, known, post(body)) == (expected, is_express)
        assert len(lanes.sink.kept) == kept * 4 + 1
        assert lanes.at_work() == 0


@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
@given(bodies=st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([EVENT, TWO, EVENT + b"\n"])), max_size=8))
def test_whatever_is_sent_the_answers_are_those_of_a_new_connection(bodies: list[bytes]) -> None:
    async def both() -> None:
        async with serving() as lanes, lanes.client() as known:
            await let_in(known)
            for body in bodies:
                async with lanes.client() as new:
                    assert await known.ask(post(body)) == await new.ask(post(body)), body

    asyncio.run(both())


async def test_ndjson_and_lines_have_their_own_answers() -> None:
    ndjson = (b"Host: p", b"Content-Type: application/x-ndjson")
    async with serving() as lanes, lanes.client() as client:
        await let_in(client, body=EVENT + b"\n" + EVENT, lines=ndjson)
        answer, is_express = await went_express(lanes, client, post(b"\n".join([EVENT] * 12), lines=ndjson))
        assert is_express
        assert answer.endswith(b'{"accepted":12,"rejected":[]}\n')
        line = b"events,country=a,region=b,sensor=c,status=processado value=1 1539112021301000000"
        await let_in(client, body=line, path=b"/api/v2/write?precision=ns")
        answer = await client.ask(post(line, b"/api/v2/write?precision=ns"))
        assert answer.startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("error", [SpoolFull("the spool is full"), DiskFailed("no disk"), ValueError("nobody knows")])
@pytest.mark.parametrize("path", [b"/events", b"/get_sensor"])
async def test_what_the_sink_raises_is_answered_alike(error: Exception, path: bytes) -> None:
    async with serving() as lanes, lanes.client() as ordinary, lanes.client() as known:
        await let_in(known, path=path)
        lanes.sink.error = error
        expected = await ordinary.ask(post(path=path))
        assert expected.startswith(b"HTTP/1.1 50"), expected
        assert await went_express(lanes, known, post(path=path)) == (expected, True)
        lanes.sink.error = None
        assert (await known.ask(post(path=path))).startswith(b"HTTP/1.1 202 ")
        assert lanes.at_work() == 0


@pytest.mark.parametrize(
    "lines",
    [
        (b"Host: p", b"Connection: close"),
        (b"Host: p", b"Expect: 100-continue"),
        (b"Host: p", b"Content-Encoding: identity"),
        (b"Host: p", b"Connection: Upgrade", b"Upgrade: websocket"),
        (b"Host: p", b"X: " + b"x" * 3000),
    ],
    ids=["close", "expect", "encoding", "upgrade", "long"],
)
async def test_what_is_unusual_stays_with_aiohttp(lines: tuple[bytes, ...]) -> None:
    async with serving() as lanes, lanes.client() as client:
        for number in range(3):
            before = lanes.slow_requests
            answer = await client.ask(post(lines=lines))
            if not answer and number:
                return
            assert b"HTTP/1.1 202 " in answer or b" 100 " in answer, answer
            assert lanes.slow_requests == before + 1


async def test_a_head_that_differs_in_one_byte_is_asked_anew() -> None:
    request = post(lines=(b"Host: p", b"Content-Type: application/json", b"Connection: keep-alive"))
    head_bytes = request.index(b"\r\n\r\n") + 4
    changed = {
        request[:place] + other + request[place + 1 :] for place in range(head_bytes) for other in (b"\n", b"x", b" ")
    }
    async with serving() as lanes:

        async def all_answers(text: bytes, *, is_known: bool) -> bytes:
            async with lanes.client() as client:
                if is_known:
                    assert (await client.ask(request)).startswith(b"HTTP/1.1 202 ")
                client.writer.write(text)
                await asyncio.sleep(0.5)
                client.writer.write_eof()
                return await rest(client)

        async def compare(text: bytes) -> None:
            known, new = await asyncio.gather(*(all_answers(text, is_known=is_known) for is_known in (True, False)))
            assert known == new, text

        await asyncio.gather(*map(compare, changed - {request}))


async def rest(client: Client) -> bytes:
    """All answers, without their dates."""
    answers = b""
    while answer := await client.answer():
        answers += answer
    return answers


HOSTILE = {
    "two lengths": post(lines=(b"Host: p", b"Content-Length: 3")),
    "same length twice": post(lines=(b"Host: p", b"Content-Length: %d" % len(EVENT))),
    "length and chunks": post(lines=(b"Host: p", b"Transfer-Encoding: chunked")),
    "folded": post(lines=(b"Host: p", b"X: a", b" b")),
    "bare line feed": post(lines=(b"Host: p\nX: y",)),
    "space before colon": post().replace(b"Content-Length:", b"Content-Length :"),
    "plus": post().replace(b"Content-Length: ", b"Content-Length: +"),
    "two hosts": post(lines=(b"Host: p", b"Host: q")),
    "no host": post(lines=(b"X: y",)),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_ambiguous_is_refused_on_a_connection_that_is_known_too(name: str) -> None:
    async with serving() as lanes, lanes.client() as client:
        await let_in(client)
        await let_in(client)
        client.writer.write(HOSTILE[name] + post())
        answers = await client.rest()
        assert answers.split(b" ")[1] == b"400", answers
        assert answers.count(b"HTTP/1.") == 1, "what followed was answered, too"


NUMBERS = {
    "leading zero": b"0%d",
    "hexadecimal": b"0x%x",
    "space": b" %d",
    "tab": b"\t%d",
    "after": b"%d ",
    "plus": b"+%d",
}


@pytest.mark.parametrize("name", NUMBERS)
async def test_a_length_that_is_written_otherwise_is_for_aiohttp(name: str) -> None:
    digits = b"%d" % len(EVENT)
    otherwise = post().replace(b"Length: " + digits, b"Length: " + NUMBERS[name] % len(EVENT))
    async with serving() as lanes, lanes.client() as new, lanes.client() as known:
        expected = await new.ask(otherwise)
        await let_in(known)
        assert await went_express(lanes, known, otherwise) == (expected, False)


async def test_a_token_that_is_revoked_opens_no_lane_any_more(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(TOKENS)
    file.chmod(0o600)
    async with serving(Settings(port=0, tokens_file=file)) as lanes, lanes.client() as known:
        await let_in(known, lines=BEARER)
        assert (await went_express(lanes, known, post(lines=BEARER)))[1]
        file.write_text(TOKENS.replace("first-", "other-"))
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(20):
            while True:
                async with lanes.client() as new:
                    expected = await new.ask(post(lines=BEARER))
                if b" 401 " in expected:
                    break
        assert await known.ask(post(lines=BEARER)) == expected
        file.write_text(TOKENS)
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(20):
            while b" 401 " in await known.ask(post(lines=BEARER)):
                await asyncio.sleep(0.01)
        assert (await went_express(lanes, known, post(lines=BEARER)))[1], "a lane opens again"


async def test_each_use_of_a_token_is_told_of() -> None:
    async with serving(Settings(port=0, tokens=TOKENS)) as lanes, lanes.client() as known:

        def last_used() -> float:
            lines = lanes.metrics.exposition().decode().splitlines()
            name = 'ingest_token_last_used_timestamp_seconds{client="first"} '
            return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))

        await let_in(known, lines=BEARER)
        before = last_used()
        assert (await went_express(lanes, known, post(lines=BEARER)))[1]
        assert last_used() > before
