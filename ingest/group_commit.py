"""Group commit: everything that arrives while one commit runs goes into the next."""

import asyncio
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from ingest.errors import Closed
from ingest.fail_points import Point, Reached, never

Item = TypeVar("Item")
_Done = asyncio.Future[None]


class GroupCommit(Generic[Item]):
    """Calls ``commit`` with groups of items, in order, in a thread of its own and never twice at a time.

    ``commit`` has made a group durable when it returns; when it raises, none of the group is kept. After a group the
    thread takes the rest that ``rest_seconds`` gives it, so that the next one gets larger.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], None],
        name: str,
        reached: Reached = never,
        *,
        rest_seconds: Callable[[Sequence[Item]], float] = lambda _: 0.0,
    ) -> None:
        self._commit = commit
        self._rest_seconds = rest_seconds
        self._reached = reached
        # A plain thread and queue: handing a lone item to an executor and back costs three times as much.
        self._waiting: SimpleQueue[list[tuple[Item, _Done]] | None] = SimpleQueue()
        self._arrived: list[tuple[Item, _Done]] = []
        self._closed = False
        self._thread = Thread(target=self._commit_groups, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> _Done:
        """Queue ``item``; the future ends as ``add`` does. Raises Closed after ``close``."""
        if self._closed:
            raise Closed("the service is stopping")
        loop = asyncio.get_running_loop()
        done: _Done = loop.create_future()
        if not self._arrived:
            # What comes in one round of the loop goes over at its end, at once: each handing over wakes the thread.
            loop.call_soon(self._hand_over)
        self._arrived.append((item, done))
        return done

    async def add(self, item: Item) -> None:
        """Return once ``item`` is committed; raises what its commit raised, Closed after ``close``."""
        await self.put(item)

    async def close(self) -> None:
        """Commit what waits, take nothing more, and end the thread."""
        self._closed = True
        self._hand_over()
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        arrived, self._arrived = self._arrived, []
        if arrived:
            self._waiting.put(arrived)

    def _commit_groups(self) -> None:
        is_last = False
        while not is_last:
            rounds = [self._waiting.get()]
            while not self._waiting.empty():
                rounds.append(self._waiting.get())
            is_last = None in rounds
            group = [entry for entries in rounds if entries is not None for entry in entries]
            self._commit_group(group)
            if rest_seconds := self._rest_seconds([item for item, _ in group]):
                time.sleep(rest_seconds)

    def _commit_group(self, group: Sequence[tuple[Item, _Done]]) -> None:
        if not group:
            return
        error: Exception | None = None
        try:
            self._reached(Point.BEFORE_COMMIT)
            self._commit([item for item, _ in group])
            self._reached(Point.AFTER_COMMIT)
        except Exception as raised:
            # Handed to everyone who waits for this group.
            error = raised
        loop = group[0][1].get_loop()
        loop.call_soon_threadsafe(_settle, [done for _, done in group], error)


def _settle(group: Sequence[_Done], error: Exception | None) -> None:
    for done in group:
        # Whoever was cancelled waits no more.
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
