import asyncio
import threading
from collections.abc import Sequence

import pytest

from ingest.errors import Closed
from ingest.group_commit import GroupCommit


class Disk:
    """Remembers the groups it was given; each commit waits until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go = threading.Semaphore(0)

    def commit(self, group: Sequence[int]) -> None:
        assert self.go.acquire(timeout=10)
        if 13 in group:
            raise OSError("unlucky")
        self.groups.append(list(group))


async def started(disk: Disk, *items: int) -> tuple[GroupCommit[int], list[asyncio.Task[None]]]:
    commits = GroupCommit(disk.commit, "test")
    tasks = [asyncio.create_task(commits.add(items[0]))]
    await asyncio.sleep(0.01)
    tasks += [asyncio.create_task(commits.add(item)) for item in items[1:]]
    await asyncio.sleep(0.01)
    return commits, tasks


async def test_what_arrives_during_a_commit_goes_into_the_next_one() -> None:
    disk = Disk()
    commits, tasks = await started(disk, 1, 2, 3, 4)
    disk.go.release(2)
    await asyncio.gather(*tasks)
    assert disk.groups == [[1], [2, 3, 4]]
    await commits.close()


async def test_what_comes_in_one_round_of_the_loop_is_one_group() -> None:
    disk = Disk()
    commits = GroupCommit(disk.commit, "test")
    disk.go.release(3)
    for _ in range(2):
        await asyncio.gather(*(commits.add(item) for item in range(100, 200)))
    last = commits.put(200)
    await commits.close()
    assert disk.groups == [list(range(100, 200)), list(range(100, 200)), [200]]
    await last


async def test_nobody_is_answered_before_the_commit() -> None:
    disk = Disk()
    commits, tasks = await started(disk, 1, 2)
    assert not any(task.done() for task in tasks)
    disk.go.release()
    await tasks[0]
    assert not tasks[1].done()
    disk.go.release()
    await tasks[1]
    await commits.close()


async def test_a_failed_commit_fails_its_own_group_only() -> None:
    disk = Disk()
    commits, tasks = await started(disk, 1, 13, 14)
    disk.go.release(3)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), OSError, OSError]
    await commits.add(15)
    assert disk.groups == [[1], [15]]
    await commits.close()


async def test_one_who_stops_waiting_takes_nobody_along() -> None:
    disk = Disk()
    commits, tasks = await started(disk, 1, 2, 3)
    tasks[1].cancel()
    disk.go.release(2)
    await asyncio.gather(tasks[0], tasks[2])
    assert disk.groups == [[1], [2, 3]]
    await commits.close()


async def test_closing_commits_what_waits_and_takes_nothing_more() -> None:
    disk = Disk()
    commits, tasks = await started(disk, 1, 2)
    disk.go.release(2)
    await commits.close()
    assert all(task.done() for task in tasks)
    assert disk.groups == [[1], [2]]
    with pytest.raises(Closed):
        await commits.add(3)
