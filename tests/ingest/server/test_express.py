"""The express lane: the same answers as aiohttp's own, sooner."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import DiskFailed, SpoolFull
from ingest.settings import Settings
from tests.ingest.server.lanes import EVENT, Client, Lanes, post, serving

TWO = b"[" + EVENT + b"," + EVENT.replace(b"s1", b"s2") + b"]"
TOKENS = "first:write:first-0123456789,reader:read:reader-0123456789"
BEARER = (b"Host: p", b"Authorization: Bearer first-0123456789")


async def let_in(client: Client, **request: object) -> None:
    """Ask once, so that the head is known."""
    assert (await client.ask(post(**request))).startswith(b"HTTP/1.1 20"), request  # type: ignore[arg-type]


async def went_express(lanes: Lanes, client: Client, request: bytes) -> tuple[bytes, bool]:
    before = lanes.slow_requests
    return await client.ask(request), lanes.slow_requests == before


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


async def send_slowly(client: Client, *pieces: bytes) -> None:
    for piece in pieces:
        client.writer.write(piece)
        await asyncio.sleep(0.05)


LARGE = b"[" + b",".join([EVENT] * 2000) + b"]"


@pytest.mark.parametrize("body", [EVENT, LARGE, b"[" + LARGE + b"]"], ids=["small", "large", "bad"])
@pytest.mark.parametrize("is_known_from_pieces", [False, True])
async def test_a_body_may_come_in_pieces(body: bytes, is_known_from_pieces: bool) -> None:
    request = post(body)
    pieces = request[:100], request[100:110], request[110:-5], request[-5:]
    async with serving() as lanes, lanes.client() as ordinary, lanes.client() as known:
        expected = await ordinary.ask(request)
        if is_known_from_pieces:
            await send_slowly(known, post()[:100], post()[100:])
            await known.answer()
        else:
            await let_in(known)
        before = lanes.slow_requests
        for _ in range(2):
            await send_slowly(known, *pieces)
            assert await known.answer() == expected
        assert lanes.slow_requests == before
        assert lanes.capacity.gauges()["body_bytes_at_work"] == 0


async def test_a_body_that_comes_slowly_has_its_time_out_with_aiohttp() -> None:
    async with serving(Settings(port=0, body_timeout_seconds=1.0)) as lanes, lanes.client() as client:
        await let_in(client)
        client.writer.write(post(LARGE)[:1000])
        assert (await client.answer()).startswith(b"HTTP/1.1 408 ")
        assert lanes.slow_requests == 2
        async with lanes.client() as slow:
            await let_in(slow)
            await send_slowly(slow, post()[:-2])
            await asyncio.sleep(0.7)
            assert (await slow.ask(b'"}')).startswith(b"HTTP/1.1 202 ")
            assert (await slow.ask(post())).startswith(b"HTTP/1.1 202 ")


async def test_what_comes_behind_the_last_piece_is_the_next_request() -> None:
    async with serving() as lanes, lanes.client() as client:
        await let_in(client)
        await send_slowly(client, post(LARGE)[:1000], post(LARGE)[1000:] + post(TWO) + post()[:20], post()[20:])
        for count in (2000, 2, 1):
            assert (await client.answer()).endswith(b'{"accepted":%d,"rejected":[]}\n' % count)


async def test_a_whole_request_is_answered_though_no_request_stands_behind_it() -> None:
    async with serving() as lanes, lanes.client() as known, lanes.client() as new:
        await let_in(known)
        for client in (known, new):
            await send_slowly(client, post()[:-1], b"}no request\r\n\r\n")
        assert await known.rest() == await new.rest()
        assert len(lanes.sink.kept) == 3


@pytest.mark.parametrize("ends", ["half", "gone"])
async def test_a_body_that_ends_too_soon_leaves_nothing_behind(ends: str) -> None:
    async with serving(Settings(port=0, max_pending_bytes=50_000)) as lanes, lanes.client() as client:
        await let_in(client)
        await send_slowly(client, post(LARGE)[:1000], post(LARGE)[1000:100_000])
        assert lanes.capacity.gauges()["body_bytes_at_work"] == 100_000
        if ends == "half":
            client.writer.write_eof()
            assert await client.rest() == b""
        else:
            client.writer.transport.abort()
        async with asyncio.timeout(20):
            while lanes.capacity.gauges()["body_bytes_at_work"]:
                await asyncio.sleep(0.01)
        assert len(lanes.sink.kept) == 1


async def test_a_body_for_which_there_is_no_more_room_is_refused_while_it_comes() -> None:
    async with (
        serving(Settings(port=0, max_pending_bytes=50_000)) as lanes,
        lanes.client() as one,
        lanes.client() as two,
    ):
        await let_in(one)
        await let_in(two)
        await send_slowly(two, post(LARGE)[:1000])
        await send_slowly(one, post(LARGE)[:1000], post(LARGE)[1000:100_000])
        await send_slowly(two, post(LARGE)[1000:2000])
        assert (await two.answer()).startswith(b"HTTP/1.1 503 ")
        await send_slowly(one, post(LARGE)[100_000:])
        assert (await one.answer()).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize(
    "begun", [b"POST /events HTTP/1.1\r\nHost: p\r\nX: ", b"POST /events HTTP/1.1\r\nX: y\r\n", b"POS", b"\r\n"]
)
async def test_a_known_head_that_stands_within_another_one_is_no_head(begun: bytes) -> None:
    async with serving() as lanes, lanes.client() as new, lanes.client() as known:
        await let_in(known)
        assert (await went_express(lanes, known, post()))[1]
        for client in (new, known):
            await send_slowly(client, begun, post())
        assert await known.answer() == await new.answer()


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


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(cuts=st.lists(st.integers(1, 700), max_size=12), gap=st.sampled_from([b"", b"\r\n"]), data=st.data())
def test_however_a_stream_is_cut_every_request_is_answered_in_its_turn(
    cuts: list[int], gap: bytes, data: st.DataObject
) -> None:
    counts = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=8))
    stream = b"".join(gap + post(b"[" + b",".join([EVENT] * count) + b"]") for count in counts)

    async def told() -> None:
        async with serving() as lanes, lanes.client() as client:
            await let_in(client)
            places = sorted({0, *(cut % len(stream) for cut in cuts), len(stream)})
            for start, end in pairwise(places):
                client.writer.write(stream[start:end])
                await asyncio.sleep(0.002)
            for count in counts:
                assert (await client.answer()).endswith(b'{"accepted":%d,"rejected":[]}\n' % count)
            assert len(lanes.sink.kept) == 1 + sum(counts)

    asyncio.run(told())


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


async def test_requests_of_the_lane_are_limited_and_counted_with_all_others() -> None:
    one = Settings(port=0, max_requests_a_second=3)
    async with serving(one) as lanes, lanes.client() as ordinary, lanes.client() as known:
        await let_in(known)
        assert (await went_express(lanes, known, post()))[1]
        assert (await ordinary.ask(post())).startswith(b"HTTP/1.1 202 ")
        assert await known.ask(post()) == await ordinary.ask(post())
        assert (
            b'requests_refused_total{client="anonymous",reason="too_many_requests"} 2.0' in lanes.metrics.exposition()
        )


async def test_beyond_the_capacity_the_lane_is_closed_too() -> None:
    async with serving(Settings(port=0, max_connections=2)) as lanes, lanes.client() as first, lanes.client() as second:
        await let_in(second)
        await let_in(first)
        lanes.sink.open.clear()
        first.writer.write(post())
        await lanes.until_at_work(1)
        lanes.capacity._requests.limit = 1
        answer, is_express = await went_express(lanes, second, post())
        assert is_express
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"overloaded"' in answer
        lanes.sink.open.set()
        assert (await first.answer()).startswith(b"HTTP/1.1 202 ")
        assert (await second.ask(post())).startswith(b"HTTP/1.1 202 ")
        assert b'shed_total{reason="requests"} 1.0' in lanes.metrics.exposition()
        assert lanes.at_work() == 0


async def test_a_body_for_which_there_is_no_room_is_refused_by_its_handler() -> None:
    large = b"[" + b",".join([EVENT] * 100) + b"]"
    async with serving(Settings(port=0, max_pending_bytes=5000)) as lanes, lanes.client() as one, lanes.client() as two:
        await let_in(one)
        await let_in(two)
        lanes.sink.open.clear()
        one.writer.write(post(large))
        await lanes.until_at_work(1)
        assert lanes.capacity.gauges()["body_bytes_at_work"] == len(large)
        assert (await two.ask(post(large))).startswith(b"HTTP/1.1 503 ")
        lanes.sink.open.set()
        assert (await one.answer()).startswith(b"HTTP/1.1 202 ")
        assert lanes.capacity.gauges()["body_bytes_at_work"] == 0


@pytest.mark.parametrize("last", [post(), post() + post(TWO), b"GET /events HTTP/1.1\r\nHost: p\r\n\r\n"])
async def test_who_comes_while_one_is_at_work_waits_for_his_turn(last: bytes) -> None:
    async with serving() as lanes, lanes.client() as client:
        await let_in(client)
        lanes.sink.open.clear()
        client.writer.write(post(TWO))
        await lanes.until_at_work(1)
        client.writer.write(last)
        await asyncio.sleep(0.1)
        lanes.sink.open.set()
        assert (await client.answer()).endswith(b'{"accepted":2,"rejected":[]}\n')
        for _ in range(last.count(b"HTTP/1.1")):
            assert await client.answer()
        assert (await client.ask(post())).startswith(b"HTTP/1.1 202 ")


async def test_who_ends_only_his_own_side_gets_the_answer_and_is_gone() -> None:
    async with serving() as lanes, lanes.client() as client:
        await let_in(client)
        lanes.sink.open.clear()
        client.writer.write(post(TWO))
        await lanes.until_at_work(1)
        client.writer.write_eof()
        await asyncio.sleep(0.1)
        lanes.sink.open.set()
        assert (await client.rest()).endswith(b'{"accepted":2,"rejected":[]}\n')


async def test_who_is_gone_counts_until_his_request_is_done() -> None:
    async with serving() as lanes:
        async with lanes.client() as client:
            await let_in(client)
            lanes.sink.open.clear()
            client.writer.write(post())
            await lanes.until_at_work(1)
        await asyncio.sleep(0.1)
        assert lanes.at_work() == 1
        lanes.sink.open.set()
        await lanes.until_at_work(0)
        assert len(lanes.sink.kept) == 2


async def test_a_shutdown_waits_for_the_lane() -> None:
    async with AsyncExitStack() as stack:
        async with serving() as lanes:
            client = await stack.enter_async_context(lanes.client())
            await let_in(client)
            lanes.sink.open.clear()
            client.writer.write(post(TWO))
            await lanes.until_at_work(1)
            asyncio.get_running_loop().call_later(0.3, lanes.sink.open.set)
        assert (await client.rest()).endswith(b'{"accepted":2,"rejected":[]}\n')


async def test_a_connection_that_rests_for_aiohttp_but_is_at_work_stays() -> None:
    async with serving(Settings(port=0, idle_timeout_seconds=1.0)) as lanes, lanes.client() as client:
        await let_in(client)
        lanes.sink.open.clear()
        client.writer.write(post(TWO))
        await asyncio.sleep(2.5)
        lanes.sink.open.set()
        assert (await client.answer()).endswith(b'{"accepted":2,"rejected":[]}\n')
        assert await client.rest() == b"", "it ends when it has rested"


async def test_who_reads_no_answer_is_ended() -> None:
    patient = Settings(port=0, answer_timeout_seconds=1.0)
    async with serving(patient) as lanes, lanes.client() as client:
        await let_in(client)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(60):
            while not client.writer.transport.is_closing():
                # Each answer names a thousand items that are refused.
                client.writer.write(post(b"[" + b",".join([b"{}"] * 3000) + b"]"))
                await asyncio.sleep(0.01)
        assert b'shed_total{reason="slow"} 1.0' in lanes.metrics.exposition()
