from collections.abc import Iterator

import pytest

from ingest.capacity import SMALL_BODY_BYTES, Bounds, Capacity
from ingest.errors import Overloaded
from ingest.metrics import Metrics

LAG_SECONDS = 0.1
LARGE = 2**20


@pytest.fixture
def capacity() -> Capacity:
    return Capacity(Bounds(4000, 4 * LARGE, LAG_SECONDS), Metrics().shed())


def fill(capacity: Capacity) -> int:
    count = 0
    while capacity.enter():
        count += 1
    return count


def test_so_many_requests_are_let_in_and_one_more_for_each_that_leaves(capacity: Capacity) -> None:
    assert fill(capacity) == 4000
    with pytest.raises(Overloaded), capacity.place():
        raise AssertionError("there is no place")
    capacity.leave()
    with capacity.place():
        assert fill(capacity) == 0
    assert fill(capacity) == 1


def test_a_late_loop_cuts_what_is_at_work_to_what_would_be_in_time(capacity: Capacity) -> None:
    fill(capacity)
    capacity.adapt(2 * LAG_SECONDS)
    assert capacity.gauges()["requests_at_work_limit"] == 2000
    for _ in range(2001):
        capacity.leave()
    assert fill(capacity) == 1


def test_a_lag_that_no_request_made_cuts_no_more_than_to_the_least(capacity: Capacity) -> None:
    capacity.adapt(100 * LAG_SECONDS)
    assert fill(capacity) == 1000


def test_the_limit_is_back_within_seconds_of_an_overload(capacity: Capacity) -> None:
    capacity.adapt(100 * LAG_SECONDS)
    ticks = 0
    while capacity.gauges()["requests_at_work_limit"] < 4000:
        capacity.adapt(0.0)
        ticks += 1
    assert ticks * 0.05 < 5


def test_a_large_body_is_let_in_until_the_others_are_at_the_limit(capacity: Capacity) -> None:
    with capacity.body() as first, capacity.body() as second:
        first.grow_to(3 * LARGE)
        second.grow_to(16 * LARGE)
        second.grow_to(17 * LARGE)
        with capacity.body() as third:
            third.grow_to(SMALL_BODY_BYTES)
            with pytest.raises(Overloaded):
                third.grow_to(SMALL_BODY_BYTES + 1)
    assert capacity.gauges()["body_bytes_at_work"] == 0
    with capacity.body() as third:
        third.grow_to(LARGE)


def test_of_two_that_grow_side_by_side_one_goes_on(capacity: Capacity) -> None:
    def growing() -> Iterator[bool]:
        with capacity.body() as share:
            for size in range(LARGE, 16 * LARGE, LARGE):
                try:
                    share.grow_to(size)
                except Overloaded:
                    yield False
                    return
                yield True

    first, second = growing(), growing()
    outcomes = [outcome for pair in zip(first, second, strict=False) for outcome in pair]
    assert outcomes.count(False) == 1
    assert all(first) != all(second) or all(first)


def test_who_sends_slowly_gives_way_to_whoever_needs_the_room(capacity: Capacity) -> None:
    now = 0.0
    gone: list[str] = []

    def clock() -> float:
        return now

    shares = {name: capacity.body() for name in ("slow", "slower", "quick", "new")}
    with (
        shares["slow"].arriving(lambda: gone.append("slow"), clock),
        shares["slower"].arriving(lambda: gone.append("slower"), clock),
    ):
        for name in ("slow", "slower"):
            shares[name].grow_to(2 * LARGE)
        now = 1.9
        with pytest.raises(Overloaded):
            shares["new"].look(LARGE)
        now = 2.0
        with shares["new"].arriving(lambda: gone.append("new"), clock):
            shares["new"].look(LARGE)
            assert (gone, capacity.gauges()["body_bytes_at_work"]) == (["slow"], 2 * LARGE)
            shares["new"].grow_to(2 * LARGE)
            shares["quick"].grow_to(SMALL_BODY_BYTES)
            shares["quick"].grow_to(LARGE)
            assert gone == ["slow", "slower"]
