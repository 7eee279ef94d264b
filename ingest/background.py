"""Work that goes on beside a context."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run ``work`` until the context ends. Should it ever fail, the context fails with it."""
    owner = asyncio.current_task()
    task = asyncio.create_task(work)

    def stop_owner(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and done.exception() and owner:
            owner.cancel()

    task.add_done_callback(stop_owner)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
