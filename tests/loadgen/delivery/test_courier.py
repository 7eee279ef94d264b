"""The courier gets every line an answer, whatever the service says at first."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from aiohttp import web

from loadgen.delivery.batch import Batch
from loadgen.delivery.courier import RefusedError, couriers
from loadgen.delivery.outage import GivenUpError, Outage
from loadgen.verdict import Rejection, Verdict

LINES = tuple(b"%d\n" % number for number in range(10))
Answering = Callable[[bytes], web.Response]


@asynccontextmanager
async def answering(answer: Answering) -> AsyncIterator[str]:
    async def post(request: web.Request) -> web.Response:
        return answer(await request.read())

    app = web.Application()
    app.router.add_post("/events", post)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def accepting(body: bytes) -> web.Response:
    return web.json_response({"accepted": body.count(b"\n"), "rejected": []}, status=202)


async def deliver(answer: Answering, patience_seconds: float = 5) -> tuple[Verdict, list[str]]:
    told: list[str] = []
    outage = Outage(patience_seconds, told.append)
    async with answering(answer) as url, couriers(url, 1, 5, outage) as courier:
        return await courier.deliver(Batch(0, LINES)), told


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_passes_is_waited_for_and_told_once(status: int) -> None:
    left = [status, status]
    verdict, told = await deliver(lambda body: web.Response(status=left.pop()) if left else accepting(body))
    assert verdict == Verdict()
    assert [sentence.split(" (")[0].split(" after")[0] for sentence in told] == ["waiting for the service", "going on"]
    assert f"HTTP {status}" in told[0]


async def test_the_time_that_the_service_asks_for_is_kept() -> None:
    left = [503]
    started = monotonic()
    headers = {"Retry-After": "1"}
    await deliver(lambda body: web.Response(status=left.pop(), headers=headers) if left else accepting(body))
    assert monotonic() - started >= 1


async def test_a_service_that_says_why_is_quoted() -> None:
    left = [503]
    problem = json.dumps({"code": "spool_full", "message": "the spool is full"})
    _, told = await deliver(lambda body: web.Response(status=left.pop(), text=problem) if left else accepting(body))
    assert told[0] == "waiting for the service (HTTP 503: the spool is full)"


@pytest.mark.parametrize("as_json", [True, False])
async def test_what_is_quoted_can_not_steer_the_terminal(as_json: bool) -> None:
    left = [503]
    text = json.dumps({"message": "\x1b]0;pwned\x07"}) if as_json else "\x1b]0;pwned\x07"
    _, told = await deliver(lambda body: web.Response(status=left.pop(), text=text) if left else accepting(body))
    assert told[0] == "waiting for the service (HTTP 503: �]0;pwned�)"


async def test_patience_ends() -> None:
    with pytest.raises(GivenUpError, match=r"nothing got through for 0\.3 s: HTTP 503"):
        await deliver(lambda _: web.Response(status=503), patience_seconds=0.3)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 415])
async def test_a_refusal_for_good_is_not_repeated(status: int) -> None:
    asked: list[bytes] = []

    def answer(body: bytes) -> web.Response:
        asked.append(body)
        return web.Response(status=status)

    with pytest.raises(RefusedError, match=f"HTTP {status}"):
        await deliver(answer)
    assert len(asked) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_one_line_that_spoils_its_request_is_found_and_costs_no_other(status: int) -> None:
    taken: list[bytes] = []

    def answer(body: bytes) -> web.Response:
        if b"7\n" in body:
            return web.json_response({"message": "not this one"}, status=status)
        taken.extend(body.splitlines(keepends=True))
        return accepting(body)

    verdict, _ = await deliver(answer)
    assert verdict.rejected == (Rejection(7, f"HTTP {status}: not this one"),)
    assert sorted(taken) == sorted(set(LINES) - {b"7\n"})


async def test_rejections_keep_their_places() -> None:
    receipt = {"accepted": 8, "rejected": [{"index": 2, "reason": "a"}, {"index": 9, "reason": "b"}]}
    verdict, _ = await deliver(lambda _: web.json_response(receipt, status=202))
    assert verdict.rejected == (Rejection(2, "a"), Rejection(9, "b"))
