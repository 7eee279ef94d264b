"""The express lane's requests among all others: limits, turns, and ends."""

import asyncio
import selectors
import socket
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing import get_context
from typing import Any

import pytest
import uvloop

from ingest.errors import DiskFailed, IngestError, SpoolFull
from ingest.event import Event
from ingest.settings import Settings
from tests.ingest.server.lanes import EVENT, TWO, Client, Lanes, Told, let_in, post, serving, went_express


class Groups(Told):
    """Keeps what came within some milliseconds at once, as a commit does: the answers go out together."""

    async def append(self, events: Sequence[Event], lines: Sequence[bytes]) -> None:
        await asyncio.sleep(0.005 - time.monotonic() % 0.005)
        await super().append(events, lines)


def ask_on(port: int, clients: int, times: int) -> None:
    """Each client asks when it connects, and again as soon as it has its answer."""
    left: dict[Any, int] = {}
    with selectors.DefaultSelector() as ready:
        for _ in range(clients):
            connected = socket.create_connection(("127.0.0.1", port))
            connected.sendall(post())
            ready.register(connected, selectors.EVENT_READ)
            left[connected] = times - 1
        while left:
            for key, _ in ready.select(timeout=20):
                client: Any = key.fileobj
                answer = client.recv(2**16)
                assert answer.endswith(b'{"accepted":1,"rejected":[]}\n'), answer
                if left[client]:
                    left[client] -= 1
                    client.sendall(post())
                else:
                    del left[client]
                    ready.unregister(client)
                    client.close()


def test_who_asks_again_before_aiohttp_has_its_turn_goes_through_it_once() -> None:
    async def told() -> None:
        async with serving(sink=Groups()) as lanes:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as others:
                await asyncio.get_running_loop().run_in_executor(others, ask_on, lanes.port, 200, 10)
            assert len(lanes.sink.kept) == 2000
            assert lanes.slow_requests == 200
            assert lanes.at_work() == 0

    # As the service does; asyncio's own loop would read no request before all have had their turn.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(told())


@asynccontextmanager
async def known(lanes: Lanes, paths: Sequence[bytes]) -> AsyncIterator[list[Client]]:
    """A client for each of ``paths``, each of which was let in; all have asked once."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(lanes.client()) for _ in paths]
        for client, path in zip(clients, paths, strict=True):
            await let_in(client, path=path)
        yield clients


async def ask_while_one_is_at_work(lanes: Lanes, clients: Sequence[Client], requests: Sequence[bytes]) -> list[bytes]:
    """The answers to all but the first one, which come together once the first is answered."""
    lanes.sink.open.clear()
    clients[0].writer.write(requests[0])
    await lanes.until_at_work(1)
    for client, request in zip(clients[1:], requests[1:], strict=True):
        client.writer.write(request)
    await lanes.until_at_work(len(clients))
    lanes.sink.open.set()
    answers = [await client.answer() for client in clients]
    return answers[1:]


def metric(lanes: Lanes, name: str) -> float:
    lines = lanes.metrics.exposition().decode().splitlines()
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(f"{name} "))


PATHS = [b"/events", b"/get_sensor"] * 10


async def test_single_events_that_come_together_are_kept_together_and_answered_each() -> None:
    bodies = [EVENT.replace(b'"1"', b'"%d"' % number) for number, _ in enumerate(PATHS)]
    async with serving() as lanes, known(lanes, PATHS) as clients:
        appends, requests = lanes.sink.appends, lanes.slow_requests
        answers = await ask_while_one_is_at_work(lanes, clients, list(map(post, bodies, PATHS)))
        assert all(b"HTTP/1.1 202 " in answer for answer in answers), answers
        assert all(answer.endswith(b'{"accepted":1,"rejected":[]}\n') for answer in answers), answers
        assert [event.valor for event in lanes.sink.kept[-len(PATHS) :]] == [str(n) for n, _ in enumerate(PATHS)]
        assert (lanes.sink.appends - appends, lanes.slow_requests - requests) == (2, 0)
        assert lanes.at_work() == 0
        for name in ("ingest_events_received_total", "ingest_events_accepted_total", "ingest_ack_seconds_count"):
            assert metric(lanes, name) == 2 * len(PATHS), name


BAD = [
    b"",
    b"{",
    b"{}",
    b"[]",
    EVENT + EVENT,
    EVENT + b"\n" + EVENT,
    b'{"x":"}',
    b"[" + EVENT + b"]",
    b"\xef\xbb\xbf" + EVENT,
]


@pytest.mark.parametrize("bad", BAD)
async def test_among_others_each_has_the_answer_that_it_has_alone(bad: bytes) -> None:
    bodies = [EVENT, EVENT, bad, EVENT.replace(b"1539112021301", b"1"), EVENT + b" ", bad]
    async with serving() as lanes, known(lanes, [b"/events"] * len(bodies)) as clients:
        expected = [await client.ask(post(body)) for client, body in zip(clients, bodies, strict=True)]
        kept = len(lanes.sink.kept)
        assert await ask_while_one_is_at_work(lanes, clients, list(map(post, bodies))) == expected[1:]
        assert len(lanes.sink.kept) - kept == kept - len(bodies)


@pytest.mark.parametrize("error", [SpoolFull("the spool is full"), DiskFailed("no disk"), ValueError("nobody knows")])
async def test_what_the_sink_raises_is_the_answer_to_all_that_came_together(error: Exception) -> None:
    async with serving() as lanes, known(lanes, PATHS) as clients:
        lanes.sink.error = error
        requests = [post(path=path) for path in PATHS]
        expected = [await client.ask(request) for client, request in zip(clients, requests, strict=True)]
        assert await ask_while_one_is_at_work(lanes, clients, requests) == expected[1:]
        assert all(answer.startswith(b"HTTP/1.1 50") for answer in expected), expected
        assert lanes.at_work() == 0
        if isinstance(error, IngestError):
            rejected = f'ingest_events_rejected_total{{reason="{error.code}"}}'
            assert metric(lanes, rejected) == 2 * len(PATHS)


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
