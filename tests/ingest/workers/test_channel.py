"""Messages between two processes: in order, whole, and never waited for."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.events import Events
from ingest.metrics import Metrics
from ingest.workers.channel import Channel
from ingest.workers.messages import Arrived, FromWorker, Known, Listening, ToWorker
from ingest.workers.outbox import Outbox


@asynccontextmanager
async def both_ends() -> AsyncIterator[tuple[Channel[ToWorker], Channel[FromWorker]]]:
    """The worker's, which takes what is for a worker, and the main process's."""
    ours, theirs = socket.socketpair()
    worker: Channel[ToWorker] = await Channel.over(theirs, ToWorker)
    main: Channel[FromWorker] = await Channel.over(ours, FromWorker)
    yield worker, main
    await worker.close()
    await main.close()


async def test_messages_come_in_order_however_long_until_the_other_side_ends() -> None:
    async with both_ends() as (worker, main):
        sent: list[FromWorker] = [Known([1]), Listening(), Known(list(range(500_000))), Known([])]
        for message in sent:
            worker.send(message)
        await asyncio.gather(worker.close(), _expect(main, sent))


async def _expect(channel: Channel[FromWorker], sent: list[FromWorker]) -> None:
    assert [message async for message in channel.received()] == sent


async def test_what_is_sent_to_one_that_is_gone_is_lost_and_costs_nothing() -> None:
    async with both_ends() as (worker, main):
        await main.close()
        assert [message async for message in worker.received()] == []
        for _ in range(100):
            worker.send(Known([1]))
            await asyncio.sleep(0)


async def test_events_for_one_who_does_not_read_are_dropped_and_counted_and_come_again_later() -> None:
    async with both_ends() as (worker, main):
        metrics = Metrics()
        outbox = Outbox(worker, metrics.not_shown())
        some = Events([1_700_000_000_000] * 1000, ["a.b.c"] * 1000, ["x" * 1000] * 1000)
        added = 0
        while b"ingest_live_events_not_shown_total 0.0" in metrics.exposition():
            outbox.add(some)
            added += 1
            await asyncio.sleep(0.03)
            assert added < 100, "a megabyte each, and none was dropped"
        assert worker.unsent_bytes < 12 * 2**20
        came = 0
        async for message in main.received():
            assert isinstance(message, Arrived)
            came += len(message.tags)
            if came == (added - 1) * 1000:
                break
        outbox.add(some)
        last = await anext(main.received())
        assert isinstance(last, Arrived)
        assert (last.timestamps_ms, last.tags, last.valores) == (some.timestamps_ms, some.tags, some.valores)
