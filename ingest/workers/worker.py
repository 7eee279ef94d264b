"""A worker: a process that takes events on the shared port, keeps them in a spool of its own, and ships them."""

import os
import socket
import sqlite3
import sys
from contextlib import AsyncExitStack
from dataclasses import replace

import structlog

from ingest import fail_points, log, process
from ingest.background import beside
from ingest.data_folder import FolderInUse, worker_folder
from ingest.fail_points import Point
from ingest.live.watched_sink import WatchedSink
from ingest.metrics import Metrics
from ingest.settings import Settings
from ingest.wiring.archiving import archiving
from ingest.wiring.serving import application_of, entrance, serving
from ingest.wiring.shipping import reader, shipping
from ingest.workers.channel import Channel
from ingest.workers.forward import forwarding
from ingest.workers.inherited import inherited
from ingest.workers.messages import Begin, Known, Listening, Opened, ToWorker, decoded
from ingest.workers.orders import Orders
from ingest.workers.outbox import Outbox


def main() -> int:
    """Started by the main process alone, with a number and the descriptor of their channel."""
    number, descriptor = map(int, sys.argv[1:])
    try:
        process.run(_work(number, socket.socket(fileno=descriptor)))
    except (FolderInUse, OSError, sqlite3.Error) as error:
        structlog.get_logger("workers").error("worker_failed", reason=str(error))
        return 1
    return 0


async def _work(number: int, end: socket.socket) -> None:
    channel: Channel[ToWorker] = await Channel.over(end, ToWorker)
    messages = channel.received()
    first = await anext(messages, None)
    if not isinstance(first, Begin):
        # The main process has ended already.
        return
    settings = decoded(first.settings)
    log.configure(settings.log_format, number)
    with process.stopping() as stop:
        orders = Orders(channel, messages, stop)
        async with beside(orders.follow()):
            await _take_events(number, settings, channel, orders)
    await channel.close()


async def _take_events(number: int, settings: Settings, channel: Channel[ToWorker], orders: Orders) -> None:
    reached, metrics = fail_points.chosen(os.environ), Metrics()
    async with AsyncExitStack() as stack:
        folder = await inherited(stack, worker_folder(settings.data_dir, number))
        events = reader(settings, settings.influx_bucket)
        stack.push_async_callback(events.close)
        intake = await stack.enter_async_context(shipping(settings, folder, events, metrics, reached))
        metrics.watch(intake.gauges)
        reached(Point.STARTED)
        intake.series.tell(lambda ids: channel.send(Known(list(ids))))
        archive_path = worker_folder(settings.archive_dir, number) if settings.archive_dir else None
        archive = await stack.enter_async_context(archiving(settings, archive_path, metrics))
        orders.of(intake, archive, metrics)
        stack.push_async_callback(orders.end)
        channel.send(Opened(intake.series.ids()))
        port = await orders.port()
        if port is None:
            return
        stack.callback(reached, Point.STOPPING)
        before = await stack.enter_async_context(entrance(replace(settings, port=port), metrics, reached))
        forward = await stack.enter_async_context(forwarding(settings.data_dir))
        sink = WatchedSink(intake.sink, Outbox(channel, metrics.not_shown()))
        application = application_of([before.write_routes(sink, intake.series, archive), forward.routes()])
        await stack.enter_async_context(serving(application, before))
        channel.send(Listening())
        await orders.stop.wait()


if __name__ == "__main__":
    sys.exit(main())
