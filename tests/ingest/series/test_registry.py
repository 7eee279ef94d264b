"""The laws of who is let in: known series always, new ones within the limits, and nobody who never got to disk."""

from asyncio import CancelledError
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import SpoolFull
from ingest.event import Event
from ingest.events import Events
from ingest.reject import Reject
from ingest.series.known import Standing
from ingest.series.registry import Registry, SeriesLimits, id_of

NAMES = st.lists(st.integers(0, 40).map(lambda number: f"a.b.s{number}"), max_size=80)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def save(registry: Registry, *names: str) -> None:
    with registry.saving(registry.unsaved(Events.of([Event(1, name, "1") for name in names]), [])):
        pass


def refused(registry: Registry, name: str | bytes) -> str:
    standing = registry.admit(name)
    return standing.code if isinstance(standing, Reject) else ""


def test_a_series_is_known_once_it_is_on_disk() -> None:
    registry = Registry(SeriesLimits())
    assert registry.admit("a.b.c") is Standing.NEW
    assert registry.admit("a.b.c") is Standing.NEW
    assert registry.not_known(["a.b.c", "a.b.d"]) == ["a.b.c", "a.b.d"]
    save(registry, "a.b.c")
    assert registry.admit("a.b.c") is Standing.KNOWN
    assert registry.not_known(["a.b.c", "a.b.d"]) == ["a.b.d"]
    assert registry.gauges() == {"series": 1, "weeks": 0}


@given(NAMES, st.integers(1, 20), st.data())
def test_never_more_than_the_limit_and_the_known_ones_always(names: list[str], most: int, data: st.DataObject) -> None:
    registry = Registry(SeriesLimits(max_series=most))
    known: set[str] = set()
    for name in names:
        code = refused(registry, name)
        assert code in ("", "series_limit")
        assert not (code and name in known), f"{name} is known and was refused"
        if not code and data.draw(st.booleans(), label="its event gets to disk"):
            save(registry, name)
            known.add(name)
        assert registry.gauges()["series"] <= most


def test_new_ones_come_at_a_rate_and_known_ones_do_not_count() -> None:
    clock = Clock()
    registry = Registry(SeriesLimits(max_new_a_minute=3), [id_of("a.b.old")], clock_seconds=clock)
    assert [refused(registry, f"a.b.{number}") for number in range(5)] == ["", "", "", "series_rate", "series_rate"]
    assert refused(registry, "a.b.old") == ""
    assert refused(registry, "a.b.1") == "", "it was taken a moment ago and is on its way to the disk"
    clock.seconds += 20
    assert [refused(registry, f"a.b.{number}") for number in range(3, 5)] == ["", "series_rate"]


def test_what_never_got_to_disk_is_forgotten_and_may_be_tried_again() -> None:
    clock = Clock()
    registry = Registry(SeriesLimits(max_series=2), clock_seconds=clock)
    assert [refused(registry, name) for name in ("a.b.1", "a.b.2", "a.b.3")] == ["", "", "series_limit"]
    assert refused(registry, "a.b.1") == "", "sent again after a 503"
    save(registry, "a.b.1")
    clock.seconds += 61
    assert [refused(registry, name) for name in ("a.b.3", "a.b.1", "a.b.2")] == ["", "", "series_limit"]


def test_what_is_stored_late_is_known_all_the_same() -> None:
    clock = Clock()
    registry = Registry(SeriesLimits(max_series=1), clock_seconds=clock)
    registry.admit("a.b.slow")
    on_its_way = registry.unsaved(Events.of([Event(1, "a.b.slow", "1")]), [])
    clock.seconds += 100
    assert refused(registry, "a.b.other") == ""
    with registry.saving(on_its_way):
        pass
    assert registry.admit("a.b.slow") is Standing.KNOWN


@pytest.mark.parametrize(("error", "standing"), [(SpoolFull, Standing.NEW), (CancelledError, Standing.KNOWN)])
def test_only_what_is_surely_not_on_disk_stays_new(error: type[BaseException], standing: Standing) -> None:
    registry = Registry(SeriesLimits())
    registry.admit("a.b.c")
    with pytest.raises(error), registry.saving(registry.unsaved(Events.of([Event(1, "a.b.c", "1")]), [])):
        raise error
    assert registry.admit("a.b.c") is standing


def test_while_it_learns_the_rate_does_not_count() -> None:
    registry = Registry(SeriesLimits(max_new_a_minute=1), learning=True)
    assert [refused(registry, f"a.b.{number}") for number in range(3)] == ["", "", ""]
    registry.learned([id_of("a.b.of-old")])
    assert refused(registry, "a.b.3") == ""
    registry.learned([], all_of_them=True)
    assert [refused(registry, name) for name in ("a.b.4", "a.b.5", "a.b.of-old")] == ["", "series_rate", ""]


def test_it_warns_while_it_refuses() -> None:
    clock = Clock()
    registry = Registry(SeriesLimits(max_series=1), [id_of("a.b.old")], clock_seconds=clock)
    assert registry.warnings() == []
    registry.admit("a.b.c")
    (warning,) = registry.warnings()
    assert "--max-series" in warning
    clock.seconds += 61
    assert registry.warnings() == []


def test_a_line_counts_by_its_measurement_and_tags_in_any_order() -> None:
    registry = Registry(SeriesLimits())
    assert registry.admit(b"m,a=1,b=2") is Standing.NEW
    with registry.saving(registry.unsaved(Events.of(), [b"m,b=2,a=1 v=1 5\n"])):
        pass
    assert registry.admit(b"m,a=1,b=2") is Standing.KNOWN


@pytest.mark.parametrize("most", [0, 100])
def test_many_threads_agree(most: int) -> None:
    registry = Registry(SeriesLimits(max_series=most))

    def bomb(_: int) -> int:
        return sum(refused(registry, f"a.b.{number}") == "" for number in range(500))

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(bomb, range(8)))
    assert taken == [most or 500] * 8
    assert registry.gauges()["series"] == (most or 500)


def test_what_another_process_has_on_disk_is_known_and_what_gets_there_is_told() -> None:
    told: list[int] = []
    first, second = Registry(SeriesLimits(max_new_a_minute=1, max_weeks=5)), Registry(SeriesLimits(max_new_a_minute=1))
    first.tell(told.extend)
    first.admit("a.b.c")
    first.admit_time(604_800_000, 0)
    save_at(first, 604_800_000, "a.b.c")
    assert set(told) == {id_of("a.b.c"), 1} == set(first.ids())
    second.learned(told)
    assert second.gauges() == {"series": 1, "weeks": 1}
    assert second.admit("a.b.c") is Standing.KNOWN
    # It took nothing of what may be new within a minute.
    assert second.admit("a.b.d") is Standing.NEW
    assert refused(second, "a.b.e") == "series_rate"


def save_at(registry: Registry, time_ms: int, name: str) -> None:
    with registry.saving(registry.unsaved(Events.of([Event(time_ms, name, "1")]), [])):
        pass
