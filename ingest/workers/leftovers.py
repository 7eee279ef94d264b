"""Workers that are no more: what is left in their spools is shipped by the main process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from ingest.backend import Leftover
from ingest.data_folder import worker_folder, worker_numbers
from ingest.fail_points import Reached
from ingest.influxql import InfluxQL
from ingest.metrics import Metrics
from ingest.settings import Settings
from ingest.wiring.archiving import archiving
from ingest.wiring.shipping import shipping
from ingest.workers.inherited import inherited


@asynccontextmanager
async def leftovers(settings: Settings, events: InfluxQL, reached: Reached) -> AsyncIterator[Sequence[Leftover]]:
    """Those of workers beyond ``settings.workers``, being shipped until the context ends; their archives are kept in
    order."""
    found = []
    async with AsyncExitStack() as stack:
        for number in worker_numbers(settings.data_dir):
            if number <= settings.workers:
                continue
            folder = await inherited(stack, worker_folder(settings.data_dir, number))
            metrics = Metrics()
            intake = await stack.enter_async_context(shipping(settings, folder, events, metrics, reached))
            metrics.watch(intake.gauges)
            archive_path = worker_folder(settings.archive_dir, number) if settings.archive_dir else None
            has_archive = archive_path is not None and archive_path.is_dir()
            await stack.enter_async_context(archiving(settings, archive_path if has_archive else None, metrics))
            found.append(Leftover(number, intake, metrics))
        waiting = {one.number: one.intake.depth.points for one in found if one.intake.depth.points}
        if waiting:
            structlog.get_logger("workers").info("shipping_leftovers", points_of_workers=waiting)
        yield found
