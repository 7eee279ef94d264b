"""Every panel of the Sensor dashboard against what that sensor sent, and against what it owed."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import pairwise

import pytest

from tests.grafana.frames import Frame, Value
from tests.grafana.grafana import stat
from tests.grafana.intervals import interval_ms
from tests.grafana.picked import RANGE, in_begun_minutes, in_range, in_touched_minutes
from tests.grafana.place import Place
from tests.grafana.sent import FROM_MS, LAST_SECOND, MINUTE_MS, MISSING_SECONDS, TO_MS, Event, events, sensor01
from tools.dashboards.files import DASHBOARDS, dashboard

SENSOR_DASHBOARD = dashboard(DASHBOARDS / "sensor.json")
SENSOR01 = {"country": "brasil", "region": "sudeste", "sensor": "sensor01"}
ONLY_ERRORS = {"country": "brasil", "region": "centro-oeste", "sensor": "sensor04"}
ONLY_TEXTS = {"country": "brasil", "region": "sul", "sensor": "sensor01"}
NOBODY = {"country": "brasil", "region": "sul", "sensor": "nobody"}
LONG_AGO = {"country": "brasil", "region": "norte", "sensor": "sensor05"}
EVERY_SENSOR = [SENSOR01, ONLY_ERRORS, ONLY_TEXTS, NOBODY, LONG_AGO]
START_MS = FROM_MS - FROM_MS % MINUTE_MS
WEEK_MS = 7 * 86_400_000
# Events that may still come: nothing counts as missing before that.
ON_ITS_WAY_MS = 15_000

Shown = Callable[..., Awaitable[list[Frame]]]


@pytest.fixture
def shown(known_place: Place) -> Shown:
    """What a panel shows of a sensor."""

    async def ask(title: str, chosen: Mapping[str, str] = SENSOR01) -> list[Frame]:
        panel = SENSOR_DASHBOARD.panel(title)
        return await known_place.grafana.panel(SENSOR_DASHBOARD, panel, RANGE, chosen)

    return ask


def test_every_panel_is_checked() -> None:
    checked = {
        "Events",
        "Missing",
        "Error share",
        "Since the last event",
        "Last valor",
        "Numbers",
        "Texts",
        "Errors",
        "Missing events",
        "Gaps",
        "Last 500 events",
    }
    assert {panel.title for panel in SENSOR_DASHBOARD.panels} == checked, "a panel has no test of its values"


@pytest.mark.parametrize("chosen", EVERY_SENSOR, ids=str)
async def test_events_are_counted(shown: Shown, chosen: Mapping[str, str]) -> None:
    expected = len(in_touched_minutes(_of(chosen)))

    assert _stat("Events", await shown("Events", chosen)) == (expected or None)


@pytest.mark.parametrize("chosen", EVERY_SENSOR, ids=str)
async def test_the_error_share(shown: Shown, chosen: Mapping[str, str]) -> None:
    counted = in_touched_minutes(_of(chosen))
    expected = pytest.approx(sum(each.status == "erro" for each in counted) / len(counted)) if counted else None

    assert _stat("Error share", await shown("Error share", chosen)) == expected


@pytest.mark.parametrize("chosen", EVERY_SENSOR, ids=str)
async def test_milliseconds_since_the_last_event(shown: Shown, chosen: Mapping[str, str]) -> None:
    times = [each.time_ms for each in _of(chosen) if TO_MS - WEEK_MS < each.time_ms <= TO_MS]
    expected = TO_MS - max(times) if times else None

    assert _stat("Since the last event", await shown("Since the last event", chosen)) == expected


@pytest.mark.parametrize("chosen", EVERY_SENSOR, ids=str)
async def test_the_last_valor(shown: Shown, chosen: Mapping[str, str]) -> None:
    sent = in_range(_of(chosen))
    expected = max(sent, key=lambda each: each.time_ns).shown if sent else None

    assert _stat("Last valor", await shown("Last valor", chosen)) == expected


async def test_missing_events_in_each_interval(shown: Shown) -> None:
    by_minute = Counter(START_MS + second // 60 * MINUTE_MS for second in MISSING_SECONDS)
    # One is drawn nowhere: a few milliseconds may make as much. The table has it.
    expected = {minute: count for minute, count in by_minute.items() if count > 1}
    assert expected != by_minute

    (frame,) = await shown("Missing events")

    assert {at: count for at, count in frame.rows() if count} == expected


@pytest.mark.parametrize("chosen", [SENSOR01, ONLY_TEXTS, ONLY_ERRORS], ids=str)
async def test_missing_events_are_those_between_what_was_sent(shown: Shown, chosen: Mapping[str, str]) -> None:
    assert _stat("Missing", await shown("Missing", chosen)) == sum(count for _, count in _gaps(chosen))


async def test_nothing_is_known_of_a_sensor_that_never_sent(shown: Shown) -> None:
    assert await shown("Missing", NOBODY) == []
    assert await shown("Missing events", NOBODY) == []


async def test_gaps_are_the_missing_seconds_the_newest_first(shown: Shown) -> None:
    # The last has no end yet. All others: when the next event came, and how many did not come until then.
    ended = [(457_137, 2), (300_137, 60), (201_137, 1), (75_137, 5)]
    since_the_last = (TO_MS - ON_ITS_WAY_MS) // 1000 * 1000 - START_MS
    expected = [(since_the_last, (since_the_last - LAST_SECOND * 1000 - 137 + 500) // 1000 - 1), *ended]

    (frame,) = await shown("Gaps")

    assert frame.columns == ["until", "missing"]
    assert frame.rows() == [(START_MS + at, missing) for at, missing in expected] == _gaps(SENSOR01)[::-1]


@pytest.mark.parametrize("chosen", EVERY_SENSOR, ids=str)
async def test_the_graph_has_numbers_and_no_text(shown: Shown, chosen: Mapping[str, str]) -> None:
    step = _interval("Numbers")
    numbers: defaultdict[int, list[float]] = defaultdict(list)
    for each in in_range(_of(chosen)):
        if each.number is not None:
            numbers[each.time_ms - each.time_ms % step].append(each.number)
    expected = {
        "mean": {at: pytest.approx(sum(values) / len(values)) for at, values in numbers.items()},
        "lowest": {at: min(values) for at, values in numbers.items()},
        "highest": {at: max(values) for at, values in numbers.items()},
    }

    curves = {frame.fields[1].display_name: _points(frame) for frame in await shown("Numbers", chosen)}

    assert curves == (expected if numbers else {})


@pytest.mark.parametrize("chosen", EVERY_SENSOR, ids=str)
async def test_texts_are_the_last_of_each_interval(shown: Shown, chosen: Mapping[str, str]) -> None:
    step = _interval("Texts")
    expected = {
        each.time_ms - each.time_ms % step: each.valor
        for each in sorted(in_range(_of(chosen)), key=lambda each: each.time_ns)
        if isinstance(each.valor, str) and each.valor
    }

    frames = await shown("Texts", chosen)

    assert [_points(frame) for frame in frames] == ([expected] if expected else [])


@pytest.mark.parametrize("chosen", EVERY_SENSOR, ids=str)
async def test_errors_in_each_interval(shown: Shown, chosen: Mapping[str, str]) -> None:
    errors = Counter(each.minute_ms for each in in_begun_minutes(_of(chosen)) if each.status == "erro")

    frames = await shown("Errors", chosen)

    assert {at: count for frame in frames for at, count in frame.rows() if count} == errors


@pytest.mark.parametrize("chosen", EVERY_SENSOR, ids=str)
async def test_last_500_events_newest_first(shown: Shown, chosen: Mapping[str, str]) -> None:
    newest_first = sorted(in_range(_of(chosen)), key=lambda each: each.time_ns, reverse=True)[:500]

    frames = await shown("Last 500 events", chosen)

    assert [row for frame in frames for row in frame.rows()] == [
        (each.time_ms, each.shown, each.status) for each in newest_first
    ]
    assert all(frame.columns == ["time", "valor", "status"] for frame in frames)


@pytest.mark.parametrize(
    ("name", "chosen", "expected"),
    [
        ("country", {}, ["brasil", "chile"]),
        ("region", {"country": "chile"}, ["sul"]),
        ("region", {"country": "brasil"}, ["centro-oeste", "norte", "sudeste", "sul"]),
        ("sensor", {"country": "brasil", "region": "sudeste"}, ["sensor01", "sensor02"]),
        ("sensor", {"country": "chile", "region": "sul"}, ["sensor03"]),
    ],
)
async def test_drop_downs_offer_what_those_before_leave(
    known_place: Place, name: str, chosen: Mapping[str, str], expected: Sequence[str]
) -> None:
    assert sorted(await known_place.grafana.options(SENSOR_DASHBOARD, name, RANGE, chosen)) == expected


def test_every_drop_down_is_checked() -> None:
    checked = {"country", "region", "sensor"}
    assert {variable.name for variable in SENSOR_DASHBOARD.variables} == checked, "a variable has no test of its values"


def test_what_was_sent_is_what_the_gaps_leave() -> None:
    assert len(in_touched_minutes(sensor01())) == 900 - len(MISSING_SECONDS)


def _stat(title: str, frames: Sequence[Frame]) -> Value:
    return stat(SENSOR_DASHBOARD.panel(title), frames)


def _of(chosen: Mapping[str, str]) -> list[Event]:
    return [each for each in events() if all(getattr(each, name) == value for name, value in chosen.items())]


def _gaps(chosen: Mapping[str, str]) -> list[tuple[int, int]]:
    """Until when, and how many of one a second are missing: from the range's start, through each event, to its end."""
    end = TO_MS - ON_ITS_WAY_MS
    times = [
        FROM_MS,
        *sorted(each.time_ms for each in in_range(_of(chosen)) if each.time_ms <= end),
        end // 1000 * 1000,
    ]
    return [(to, (to - at + 500) // 1000 - 1) for at, to in pairwise(times) if to - at > 1500]


def _interval(title: str) -> int:
    raw = SENSOR_DASHBOARD.panel(title).raw
    return interval_ms(TO_MS - FROM_MS, raw["maxDataPoints"], raw["interval"])


def _points(frame: Frame) -> dict[Value, Value]:
    return {at: value for at, value in frame.rows() if value is not None}
