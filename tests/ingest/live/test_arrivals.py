"""Arrivals: what came since a place, whole and in order, for as long as it is kept."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.event import Event
from ingest.events import Events
from ingest.live.arrivals import Arrivals, Arrived
from ingest.store import StoredEvent

START_MS = 1_539_112_021_301


def events(first: int, number: int) -> list[Event]:
    return [Event(START_MS + i, "a.b.c", str(i)) for i in range(first, first + number)]


def stored(first: int, last: int) -> list[StoredEvent]:
    return [StoredEvent.of(event) for event in events(first, last - first)]


@given(st.lists(st.integers(1, 7), max_size=30), st.integers(1, 20), st.integers(-3, 120))
def test_law_everything_since_a_place_or_nothing(sizes: list[int], most_kept: int, place: int) -> None:
    arrivals, end = Arrivals(most_kept), 0
    for size in sizes:
        arrivals.add(Events.of(events(end, size)))
        end += size
    kept = arrivals.kept()
    assert kept.end == arrivals.end == end
    assert kept.events == stored(end - len(kept.events), end)
    assert len(kept.events) >= min(end, most_kept), "fewer are kept than asked for"
    assert len(kept.events) < most_kept + max(sizes, default=1), "more are kept than a group over the bound"
    expected = Arrived(stored(place, end), end) if end - len(kept.events) <= place <= end else None
    assert arrivals.since(place) == expected


def test_long_valores_are_bounded_by_their_bytes() -> None:
    arrivals = Arrivals(most_kept=1_000, most_bytes=100_000)
    for i in range(50):
        arrivals.add(Events.of([Event(START_MS + i, "a.b.c", "x" * 9_000)]))
    assert len(arrivals.kept().events) == 10
    arrivals.add(Events.of([Event(START_MS, "a.b.c", "x" * 200_000)]))
    assert len(arrivals.kept().events) == 1
    assert arrivals.since(50) is not None


def test_a_group_that_is_larger_than_all_that_is_kept_stays_whole() -> None:
    arrivals = Arrivals(most_kept=3)
    arrivals.add(Events.of(events(0, 2)))
    arrivals.add(Events.of(events(2, 10)))
    assert arrivals.since(1) is None
    assert arrivals.since(5) == Arrived(stored(5, 12), 12)
