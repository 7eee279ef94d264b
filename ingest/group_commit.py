"""Group commit: everything that arrives while one commit runs goes into the next."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from ingest.errors import Closed

Item = TypeVar("Item")


class GroupCommit(Generic[Item]):
    """Calls ``commit`` with groups of items, in order, in a thread of its own and never twice at a time.

    ``commit`` has made a group durable when it returns; when it raises, none of the group is kept.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], None], name: str) -> None:
        self._commit = commit
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting: list[tuple[Item, asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._closed = False

    async def add(self, item: Item) -> None:
        """Return once ``item`` is committed; raises what its commit raised, Closed after ``close``."""
        if self._closed:
            raise Closed("the service is stopping")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((item, done))
        if self._committing is None:
            self._committing = loop.create_task(self._commit_all())
        await done

    async def _commit_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            error = await self._commit_group([item for item, _ in group])
            for _, done in group:
                if not done.done():
                    _settle(done, error)
        self._committing = None

    async def _commit_group(self, items: Sequence[Item]) -> Exception | None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, items)
        except Exception as error:
            # Handed to everyone who waits for this group.
            return error
        return None

    async def close(self) -> None:
        """Commit what waits, take nothing more, and end the thread."""
        self._closed = True
        if self._committing is not None:
            await self._committing
        self._thread.shutdown()


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
