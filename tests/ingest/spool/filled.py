"""A spool on a disk that gets full."""

import re

from ingest.errors import DiskFailed
from ingest.spool.changes import Blob
from ingest.spool.spool import Spool


async def fill_spool(spool: Spool, blob: Blob) -> int:
    """Append until the disk is full; how many were taken."""
    taken = 0
    while True:
        try:
            await spool.append([blob])
        except DiskFailed as error:
            assert re.search("full|No space", str(error))  # noqa: PT017 - it is not the first call that raises
            return taken
        taken += 1
