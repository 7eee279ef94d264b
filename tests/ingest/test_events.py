"""Events in columns are what a list of them would be."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.event import Event
from ingest.events import Events

EVENTS = st.lists(st.builds(Event, st.integers(0, 9), st.sampled_from(["a.b.c", "a.b.d"]), st.text(max_size=2)))


@given(EVENTS, st.slices(6))
def test_law_they_are_a_sequence(events: list[Event], part: slice) -> None:
    columns = Events.of(events)
    assert (len(columns), list(columns), bool(columns)) == (len(events), events, bool(events))
    assert [columns[place] for place in range(-len(events), len(events))] == events * 2
    assert columns[part] == events[part]
    assert columns.timestamps_ms[part] == columns[part].timestamps_ms


@given(EVENTS, EVENTS)
def test_law_they_are_equal_to_the_same_events_only(one: list[Event], other: list[Event]) -> None:
    assert (Events.of(one) == Events.of(other)) is (one == other)
    assert (Events.of(one) == other) is (one == other)


@given(EVENTS)
def test_law_chosen_ones_stay_in_order(events: list[Event]) -> None:
    columns = Events.of(events)
    assert columns.chosen(columns.valores) == [event for event in events if event.valor]


@given(st.lists(EVENTS))
def test_law_joined_they_follow_one_another(parts: list[list[Event]]) -> None:
    assert Events.joined([Events.of(part) for part in parts]) == [event for part in parts for event in part]


@given(EVENTS)
def test_one_by_one_they_come_to_the_same(events: list[Event]) -> None:
    columns = Events.of()
    for event in events:
        columns.append(event)
    assert columns == Events.of(events)
