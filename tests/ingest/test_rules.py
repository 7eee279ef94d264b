import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.event import Event
from ingest.events import Events
from ingest.reject import Reject
from ingest.rules import Limits, Rules
from ingest.series.registry import Registry, SeriesLimits, id_of

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000
LIMITS = Limits(min_timestamp_ms=631_152_000_000, max_future_ms=DAY_MS, retention_ms=0, max_valor_bytes=100)


def rules(limits: Limits = LIMITS) -> Rules:
    return Rules(limits, clock_ms=lambda: NOW_MS, series=Registry(SeriesLimits()))


@pytest.mark.parametrize(
    ("timestamp_ms", "code"),
    [
        (0, "timestamp_too_old"),
        (-1, "timestamp_too_old"),
        (631_151_999_999, "timestamp_too_old"),
        (631_152_000_000, None),
        (1_539_112_021, "timestamp_too_old"),
        (NOW_MS + DAY_MS, None),
        (NOW_MS + DAY_MS + 1, "timestamp_future"),
        (10**40, "timestamp_future"),
    ],
)
def test_the_window_of_timestamps(timestamp_ms: int, code: str | None) -> None:
    checked = rules().check(Event(timestamp_ms, "a.b.c", "1"))
    assert (checked.code if isinstance(checked, Reject) else None) == code


@pytest.mark.parametrize(("factor", "unit"), [(1e-3, "seconds"), (1e3, "microseconds"), (1e6, "nanoseconds")])
def test_a_timestamp_in_another_unit_is_recognised(factor: float, unit: str) -> None:
    reject = rules().check(Event(int(1_539_112_021_301 * factor), "a.b.c", "1"))
    assert isinstance(reject, Reject)
    assert f"looks like {unit}" in reject.reason


def test_older_than_the_retention_is_refused_at_the_door() -> None:
    reject = rules(Limits(631_152_000_000, DAY_MS, retention_ms=DAY_MS, max_valor_bytes=100)).check(
        Event(NOW_MS - DAY_MS - 1, "a.b.c", "")
    )
    assert isinstance(reject, Reject)
    assert reject.code == "timestamp_retention"


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0"])
def test_a_blank_valor_is_an_empty_one(blank: str) -> None:
    assert rules().check(Event(NOW_MS, "a.b.c", blank)) == Event(NOW_MS, "a.b.c", "")


@pytest.mark.parametrize(
    ("valor", "is_taken"), [("x" * 100, True), ("x" * 101, False), ("é" * 50, True), ("é" * 51, False)]
)
def test_the_length_of_a_valor_is_counted_in_bytes(valor: str, is_taken: bool) -> None:
    assert isinstance(rules().check(Event(NOW_MS, "a.b.c", valor)), Event) is is_taken


EVENTS = st.builds(
    Event,
    st.one_of(st.sampled_from([0, NOW_MS, 1_539_112_021_301, NOW_MS + 2 * DAY_MS]), st.integers()),
    st.one_of(st.sampled_from(["a.b.c", "brasil.sul.s1", "a.b", "a..c"]), st.text(max_size=12)),
    st.one_of(st.sampled_from(["", " ", "1", "x" * 101, "é" * 51]), st.text(max_size=60)),
)


@given(st.lists(EVENTS, max_size=5))
def test_all_at_once_agrees_with_one_by_one(events: list[Event]) -> None:
    one_by_one = [rules().check(event) for event in events]
    assert not rules().keeps_all(Events.of(events)) or one_by_one == events


def test_a_new_sensor_is_asked_for_until_its_points_are_on_disk() -> None:
    known, new = "a.b.c", "a.b.new"
    checking = Rules(LIMITS, lambda: NOW_MS, Registry(SeriesLimits(max_series=2), [id_of(known)]))
    assert checking.keeps_all(Events.of([Event(NOW_MS, tag, "1") for tag in (known, new)]))
    assert checking._known_tags == {known}
    assert not checking.keeps_all(Events.of([Event(NOW_MS, tag, "1") for tag in (known, "a.b.third")]))


def test_what_is_remembered_of_known_tags_is_bounded_in_number_and_length() -> None:
    short, long = "a.b.c", f"{'x' * 64}.{'y' * 64}.z"
    checking = Rules(LIMITS, lambda: NOW_MS, Registry(SeriesLimits(), [id_of(short), id_of(long)]))
    events = [Event(NOW_MS, tag, "1") for tag in (short, long)]
    assert checking.keeps_all(Events.of(events))
    assert list(checking._known_tags) == [short]
    assert checking.keeps_all(Events.of(events))
