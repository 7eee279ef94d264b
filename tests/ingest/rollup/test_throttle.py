"""How large pages are, and when counting rests: by a clock that only the test moves."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rollup.throttle import Throttle


@dataclass
class World:
    """What the throttle sees; ``slept`` is how long it rested each time."""

    points: int = 0
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def throttle(self) -> Throttle:
        return Throttle(lambda: self.points, sleep=self.sleep, clock=lambda: self.now)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def work(self, throttle: Throttle, seconds: float, times: int = 1) -> None:
        for _ in range(times):
            self.now += seconds
            await throttle.rest(seconds)


@pytest.mark.parametrize("seconds", [0.005, 0.02, 3.0])
async def test_while_events_come_counting_has_a_fifth_of_the_time(seconds: float) -> None:
    world = World(points=1)
    started = world.now
    await world.work(world.throttle(), seconds, 1000)
    # The first second was saved before.
    assert (1000 * seconds - 1.0) / (world.now - started) == pytest.approx(0.2, abs=0.001)
    assert world.slept[-1] == pytest.approx(4 * seconds)


async def test_while_influxdb_is_behind_counting_has_a_twentieth_of_the_time() -> None:
    world = World(points=20_000)
    throttle, started = world.throttle(), world.now
    await world.work(throttle, 0.02, 1000)
    assert (1000 * 0.02 - 1.0) / (world.now - started) == pytest.approx(0.05, abs=0.001)
    world.points = 19_999
    await world.work(throttle, 0.02, 20)
    assert world.slept[-1] == pytest.approx(4 * 0.02)


async def test_a_short_round_is_soon_over_but_rests_after_each_page() -> None:
    world = World(points=1)
    throttle = world.throttle()
    for _ in range(3):
        world.slept.clear()
        await world.work(throttle, 0.02, 40)
        assert world.slept == pytest.approx([0.02] * 40)
        world.now += 4.0


async def test_no_more_than_a_second_is_saved() -> None:
    world = World(points=1)
    throttle = world.throttle()
    world.now += 1000.0
    await world.work(throttle, 2.0)
    assert world.slept == pytest.approx([5.0])


async def test_what_was_counted_while_nobody_waited_is_not_rested_for_later() -> None:
    world = World()
    throttle = world.throttle()
    await world.work(throttle, 30.0)
    world.points = 1
    await world.work(throttle, 0.02)
    assert world.slept == pytest.approx([0.08])


async def test_where_none_come_nothing_rests() -> None:
    world = World()
    await world.throttle().rest(0.02)
    assert world.slept == []


async def test_that_none_is_on_its_way_for_a_moment_does_not_mean_that_none_come() -> None:
    world = World(points=1)
    throttle = world.throttle()
    few = throttle.most("minutes")
    world.points = 0
    world.now += 0.9
    await throttle.rest(0.02)
    assert (throttle.most("minutes"), world.slept) == (few, [0.02])
    world.now += 0.2
    await throttle.rest(0.02)
    assert throttle.most("minutes") > few
    assert len(world.slept) == 1


@given(st.floats(0.0001, 0.01), st.floats(0.0, 0.008), st.integers(1, 60))
def test_law_a_page_soon_takes_what_it_should(seconds_of_one: float, overhead_seconds: float, windows: int) -> None:
    throttle = World(points=1).throttle()
    for _ in range(100):
        names = throttle.most("minutes", windows)
        took_seconds = overhead_seconds + names * windows * seconds_of_one
        throttle.learn("minutes", names * windows, took_seconds)
    assert took_seconds <= 0.0201 or names == 1, f"{names} names of {windows} windows took {took_seconds} s"
    assert took_seconds >= 0.0195 * names / (names + 1), f"{names} names are too few: they took {took_seconds} s"


def test_pages_that_others_made_slow_make_no_smaller_ones() -> None:
    throttle = World(points=1).throttle()
    for _ in range(20):
        throttle.learn("minutes", 40, 0.02)
        throttle.learn("minutes", 40, 0.08)
    assert throttle.most("minutes") >= 25


def test_each_work_has_a_size_of_its_own() -> None:
    throttle = World(points=1).throttle()
    for _ in range(100):
        throttle.learn("minutes", 10, 0.002)
        throttle.learn("regions", 10, 0.15)
    assert (throttle.most("minutes"), throttle.most("regions")) == (99, 1)


def test_when_nobody_waits_pages_are_large() -> None:
    world = World(points=1)
    throttle = world.throttle()
    of_events = throttle.most("minutes")
    world.points = 0
    world.now += 2.0
    assert throttle.most("minutes") == 25 * of_events
