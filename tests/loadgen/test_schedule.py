import asyncio
import time

from loadgen.pace import NS_PER_SECOND
from loadgen.plan import Plan
from loadgen.schedule import Schedule
from loadgen.sensors import events
from loadgen.tally import Tally


async def test_giving_up_what_is_overdue_leaves_room_for_others() -> None:
    plan = Plan(url="http://127.0.0.1:5000", rate=1_000_000, start_ms=0, timeout_seconds=1)
    schedule = Schedule(plan, events(plan), Tally(), time.monotonic_ns() - 11 * NS_PER_SECOND)
    taking = asyncio.create_task(schedule.take())
    await asyncio.sleep(0)
    seen = schedule.next_request
    assert 0 < seen < 1_000_000, "ten million are to be given up"
    await asyncio.sleep(0.1)
    assert seen < schedule.next_request < 10_000_000, "it goes on"
    schedule.close()
    assert await asyncio.wait_for(taking, 5) is None


async def test_after_what_was_given_up_comes_what_is_due() -> None:
    plan = Plan(url="http://127.0.0.1:5000", rate=50_000, start_ms=0, timeout_seconds=1)
    tally = Tally()
    schedule = Schedule(plan, events(plan), tally, time.monotonic_ns() - 3 * NS_PER_SECOND)
    request = await asyncio.wait_for(schedule.take(), 20)
    assert request is not None
    assert time.monotonic_ns() - request.due_ns < 1.5 * NS_PER_SECOND
    assert tally.summary(1, interrupted=False).unsent == request.index
    assert request.index >= 100_000
    schedule.close()
