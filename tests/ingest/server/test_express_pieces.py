"""The express lane where requests come in pieces, or several in one."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.settings import Settings
from tests.ingest.server.lanes import EVENT, TWO, let_in, post, send_slowly, serving, went_express

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
