"""The raw archive beside the sink, where there is one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ingest.archive.archive import Archive
from ingest.archive.folder import ArchiveFolder
from ingest.archive.retention import Retention
from ingest.background import beside
from ingest.metrics import Metrics
from ingest.settings import Settings
from ingest.wiring.serving import clock_ms


@asynccontextmanager
async def archiving(settings: Settings, path: Path | None, metrics: Metrics) -> AsyncIterator[Archive | None]:
    """The archive in the folder ``path``, kept in order until the context ends; None where there is no path."""
    if path is None:
        yield None
        return
    retention = Retention(settings.archive_max_age_seconds * 1000, settings.archive_max_bytes)
    archive = Archive(ArchiveFolder(path, settings.data_dir), retention, metrics.archive(), clock_ms)
    metrics.watch(archive.gauges)
    try:
        async with beside(archive.run()):
            yield archive
    finally:
        await archive.close()
