"""Every panel of the Events dashboard against the events that were sent, for every kind of choice in its drop-downs."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from influx.declared import EVENTS
from tests.grafana.frames import Frame, Value
from tests.grafana.grafana import stat
from tests.grafana.interpolation import TimeRange
from tests.grafana.picked import EVERY_PICK, RANGE, Picked, in_begun_minutes, in_range, in_touched_minutes
from tests.grafana.place import Place
from tests.grafana.sent import MINUTE_MS, Event, events
from tools.dashboards.files import DASHBOARDS, dashboard

EVENTS_DASHBOARD = dashboard(DASHBOARDS / "events.json")
SENT = events()
ALL = Picked({})
HOUR_MS = 60 * MINUTE_MS
WEEK_MS = 7 * 24 * HOUR_MS

Shown = Callable[..., Awaitable[list[Frame]]]


@pytest.fixture
def shown(known_place: Place) -> Shown:
    """What a panel shows for a choice."""

    async def ask(title: str, picked: Picked = ALL, **others: str) -> list[Frame]:
        panel = EVENTS_DASHBOARD.panel(title)
        return await known_place.grafana.panel(EVENTS_DASHBOARD, panel, RANGE, {**picked.chosen, **others})

    return ask


def test_every_panel_is_checked() -> None:
    checked = {
        "Events",
        "Events/s now",
        "Error share",
        "Active sensors",
        "Since the last event",
        "Numbers",
        "Counts",
        "Totals by region",
        "All events",
    }
    assert {panel.title for panel in EVENTS_DASHBOARD.panels} == checked, "a panel has no test of its values"


@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_events_are_counted(shown: Shown, picked: Picked) -> None:
    expected = len(in_touched_minutes(picked.of(SENT)))

    assert _stat("Events", await shown("Events", picked)) == (expected or None)


@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_the_error_share_heeds_all_but_the_status(shown: Shown, picked: Picked) -> None:
    place = Picked({name: values for name, values in picked.values.items() if name != "status"})
    counted = in_touched_minutes(place.of(SENT))
    expected = sum(each.status == "erro" for each in counted) / len(counted) if counted else None

    assert _stat("Error share", await shown("Error share", picked)) == (
        expected if expected is None else pytest.approx(expected)
    )


@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_sensors_that_sent_something(shown: Shown, picked: Picked) -> None:
    expected = len({_path(each) for each in in_touched_minutes(picked.of(SENT))})

    assert _stat("Active sensors", await shown("Active sensors", picked)) == (expected or None)


@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_milliseconds_since_the_last_event(shown: Shown, picked: Picked) -> None:
    before = [each.time_ms for each in picked.of(SENT) if RANGE.to_ms - WEEK_MS < each.time_ms <= RANGE.to_ms]
    expected = RANGE.to_ms - max(before) if before else None

    assert _stat("Since the last event", await shown("Since the last event", picked)) == expected


@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_the_graph_has_the_mean_of_each_region_and_the_band_of_all(shown: Shown, picked: Picked) -> None:
    counted = in_begun_minutes(picked.of(SENT))
    expected = _means(counted, _region) | _band(counted)

    assert _curves(await shown("Numbers", picked)) == expected


@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_the_graph_has_the_mean_of_each_sensor(shown: Shown, picked: Picked) -> None:
    counted = in_begun_minutes(picked.of(SENT))
    expected = _means(counted, _path) | _band(counted)

    assert _curves(await shown("Numbers", picked, group="sensor")) == expected


async def test_a_graph_of_months_is_drawn_by_the_hour(empty_place: Place) -> None:
    """Where a point stands for an hour or more, hours are read instead of minutes."""
    chance = random.Random(3)
    long = TimeRange(RANGE.to_ms - 100 * 24 * HOUR_MS, RANGE.to_ms)
    step_ms = 3 * HOUR_MS
    sent_there = [
        Event(chance.randrange(long.from_ms + HOUR_MS, long.to_ms), "brasil", f"r{n % 2}", f"s{n % 5}", n / 8)
        for n in range(300)
    ]
    await empty_place.write(EVENTS, [each.line() for each in sent_there])
    await empty_place.count()

    frames = await empty_place.grafana.panel(EVENTS_DASHBOARD, EVENTS_DASHBOARD.panel("Numbers"), long)

    assert _curves(frames) == _means(sent_there, _region, step_ms) | _band(sent_there, step_ms)


@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_counts_are_a_hierarchy_by_path(shown: Shown, picked: Picked) -> None:
    counted = in_touched_minutes(picked.of(SENT))
    expected = Counter(map(_region, counted)) + Counter(map(_path, counted))

    frames = await shown("Counts", picked)

    assert _rows(frames) == sorted(expected.items())
    assert all(frame.columns == ["tag", "events"] for frame in frames)


@pytest.mark.parametrize("hours", [5, 100])
async def test_counts_are_exact_wherever_the_range_begins_and_ends(empty_place: Place, hours: int) -> None:
    """Of every minute that the range touches, and of no other; also where most of a long one is counted by the hour."""
    chance = random.Random(7)
    hour_ms = RANGE.from_ms - RANGE.from_ms % HOUR_MS - hours * HOUR_MS
    times = [hour_ms + chance.randrange(hours * HOUR_MS) for _ in range(400)]
    sent_there = [Event(at, "brasil", "sul", f"sensor{n % 3}", 1.5) for n, at in enumerate(times)]
    sent_there.append(Event(hour_ms + HOUR_MS, "brasil", "sul", "once", 1.5))
    await empty_place.write(EVENTS, [each.line() for each in sent_there])
    await empty_place.count()
    ends = [hour_ms + chance.randrange(-MINUTE_MS, hours * HOUR_MS) for _ in range(60)]
    # On the hour, on the minute, and beside them.
    some_hours = (0, 1, 2, 3, hours - 3, hours - 2, hours - 1)
    ends += [hour_ms + at * HOUR_MS + beside for at in some_hours for beside in (-1, 0, 1, MINUTE_MS, -MINUTE_MS)]
    ranges = [TimeRange(*sorted(chance.sample(ends, 2))) for _ in range(120)]
    long_ms = 24 * HOUR_MS
    assert any(each.to_ms - each.from_ms >= long_ms for each in ranges) == (hours > 24)

    grafana = empty_place.grafana
    for each in ranges:
        counted = [one for one in sent_there if each.from_ms - MINUTE_MS < one.minute_ms <= each.to_ms]
        expected = Counter(map(_region, counted)) + Counter(map(_path, counted))
        counts = await grafana.panel(EVENTS_DASHBOARD, EVENTS_DASHBOARD.panel("Counts"), each)
        assert _rows(counts) == sorted(expected.items()), each
        if each.to_ms - each.from_ms >= long_ms:
            counted = [
                one for one in sent_there if each.from_ms - HOUR_MS < one.time_ms - one.time_ms % HOUR_MS <= each.to_ms
            ]
        active = await grafana.panel(EVENTS_DASHBOARD, EVENTS_DASHBOARD.panel("Active sensors"), each)
        assert (_stat("Active sensors", active) or 0) == len(set(map(_path, counted))), each


async def test_counts_read_as_the_seed_writes_them(shown: Shown) -> None:
    listed = [f"{tag} - {count}" for tag, count in _rows(await shown("Counts"))]

    assert listed == [
        "brasil.centro-oeste - 30",
        "brasil.centro-oeste.sensor04 - 30",
        "brasil.sudeste - 1284",
        "brasil.sudeste.sensor01 - 832",
        "brasil.sudeste.sensor02 - 452",
        "brasil.sul - 180",
        "brasil.sul.sensor01 - 180",
        "chile.sul - 90",
        "chile.sul.sensor03 - 90",
    ]


@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_totals_by_region_the_largest_first(shown: Shown, picked: Picked) -> None:
    expected = Counter(map(_region, in_touched_minutes(picked.of(SENT))))

    assert _rows(await shown("Totals by region", picked)) == expected.most_common()


@pytest.mark.parametrize("rows", ["100", "5000"])
@pytest.mark.parametrize("picked", EVERY_PICK, ids=str)
async def test_all_events_newest_first(shown: Shown, picked: Picked, rows: str) -> None:
    newest_first = sorted(in_range(picked.of(SENT)), key=lambda each: each.time_ns, reverse=True)
    expected = [
        (each.time_ms, each.country, each.region, each.sensor, each.shown, each.status)
        for each in newest_first[: int(rows)]
    ]

    frames = await shown("All events", picked, rows=rows)

    # Points of different sensors may be of the same nanosecond: any order of those is right.
    assert sorted(_rows(frames)) == sorted(expected)
    assert [row[0] for row in _rows(frames)] == [row[0] for row in expected]
    assert all(frame.columns == ["time", "country", "region", "sensor", "valor", "status"] for frame in frames)


async def test_events_a_second_now(empty_place: Place) -> None:
    now_ms = int(time.time() * 1000)
    of_now = [Event(now_ms + ago * 500, "brasil", "sul", "sensor01", 1.5 if ago % 2 else "a") for ago in range(-60, 60)]
    await empty_place.write(EVENTS, [each.line() for each in of_now])
    panel = EVENTS_DASHBOARD.panel("Events/s now")

    frames = await empty_place.grafana.panel(EVENTS_DASHBOARD, panel, RANGE)

    assert stat(panel, frames) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("name", "chosen", "expected"),
    [
        ("country", {}, ["brasil", "chile"]),
        ("region", {}, ["centro-oeste", "norte", "sudeste", "sul"]),
        ("region", {"country": ["chile"]}, ["sul"]),
        ("sensor", {}, ["sensor01", "sensor02", "sensor03", "sensor04", "sensor05"]),
        ("sensor", {"country": ["brasil", "chile"], "region": ["sul"]}, ["sensor01", "sensor03"]),
        ("sensor", {"country": ["brasil"], "region": ["sul"]}, ["sensor01"]),
        ("status", {}, ["erro", "processado"]),
        ("group", {}, ["()", "sensor"]),
        ("rows", {}, ["100", "500", "1000", "5000"]),
    ],
)
async def test_drop_downs_offer_what_those_before_leave(
    known_place: Place, name: str, chosen: Mapping[str, Sequence[str]], expected: Sequence[str]
) -> None:
    assert sorted(await known_place.grafana.options(EVENTS_DASHBOARD, name, RANGE, chosen)) == sorted(expected)


def test_every_drop_down_is_checked() -> None:
    checked = {"country", "region", "sensor", "status", "group", "rows"}
    assert {variable.name for variable in EVENTS_DASHBOARD.variables} == checked, "a variable has no test of its values"


def _stat(title: str, frames: Sequence[Frame]) -> Value:
    return stat(EVENTS_DASHBOARD.panel(title), frames)


def _path(event: Event) -> str:
    return f"{event.country}.{event.region}.{event.sensor}"


def _region(event: Event) -> str:
    return f"{event.country}.{event.region}"


def _rows(frames: Sequence[Frame]) -> list[tuple[Value, ...]]:
    return [row for frame in frames for row in frame.rows()]


def _curves(frames: Sequence[Frame]) -> dict[str, dict[Value, Value]]:
    """The points of each line, those without a value left out."""
    curves: dict[str, dict[Value, Value]] = {}
    for frame in frames:
        times, values = frame.fields
        assert values.display_name not in curves, f"two lines are called {values.display_name}"
        points: dict[Value, Value] = {
            at: value for at, value in zip(times.values, values.values, strict=True) if value is not None
        }
        if points:
            curves[values.display_name] = points
    return curves


def _means(
    counted: Sequence[Event], name: Callable[[Event], str], step_ms: int = MINUTE_MS
) -> dict[str, dict[int, object]]:
    numbers: defaultdict[str, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in counted:
        if each.number is not None:
            numbers[name(each)][each.time_ms // step_ms * step_ms].append(each.number)
    return {
        line: {minute: pytest.approx(sum(values) / len(values)) for minute, values in minutes.items()}
        for line, minutes in numbers.items()
    }


def _band(counted: Sequence[Event], step_ms: int = MINUTE_MS) -> dict[str, dict[int, float]]:
    numbers: defaultdict[int, list[float]] = defaultdict(list)
    for each in counted:
        if each.number is not None:
            numbers[each.time_ms // step_ms * step_ms].append(each.number)
    if not numbers:
        return {}
    return {
        "lowest": {minute: min(values) for minute, values in numbers.items()},
        "highest": {minute: max(values) for minute, values in numbers.items()},
    }
