"""A worker's folder, as soon as the process that had it before is gone."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from ingest.data_folder import DataFolder, FolderInUse

# It finishes what it has, or has been killed a moment ago.
_PREDECESSOR_SECONDS = 30.0
_LOOK_SECONDS = 0.05


async def inherited(stack: AsyncExitStack, path: Path) -> Path:
    """Held until ``stack`` is left. Raises FolderInUse if somebody else keeps it."""
    deadline = time.monotonic() + _PREDECESSOR_SECONDS
    while True:
        try:
            return stack.enter_context(DataFolder(path)).path
        except FolderInUse:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(_LOOK_SECONDS)
