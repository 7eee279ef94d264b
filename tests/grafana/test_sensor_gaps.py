"""What the Sensor dashboard says is missing, against a sensor whose clock is a few milliseconds off."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pytest

from influx.declared import EVENTS, ROLLUP
from tests.grafana.frames import Frame
from tests.grafana.grafana import stat
from tests.grafana.interpolation import TimeRange
from tests.grafana.place import Place
from tests.grafana.sent import FROM_MS, MINUTE_MS, Event
from tools.dashboards.files import DASHBOARDS, dashboard

SENSOR_DASHBOARD = dashboard(DASHBOARDS / "sensor.json")
SENSOR = ("brasil", "sul", "sensor01")
START_MS = FROM_MS - FROM_MS % MINUTE_MS
SECONDS = 600
JITTER_MS = 30
VALORES: list[float | str] = [20.5, 21.5, "ligado", ""]
# All that came lies before the 15 seconds that are given to what is still on its way.
WHOLE = TimeRange(START_MS - 100, START_MS + SECONDS * 1000 + 14_500)
SIX_HOURS = 360


@dataclass(frozen=True)
class Case:
    """Seconds in which nothing was sent, and what a range shows: until which second, and how many."""

    silent: Collection[int]
    shown: Sequence[tuple[int, int]]
    from_second: int | None = None
    to_second: int | None = None

    @property
    def time_range(self) -> TimeRange:
        return TimeRange(
            WHOLE.from_ms if self.from_second is None else START_MS + self.from_second * 1000 + 500,
            WHOLE.to_ms if self.to_second is None else START_MS + self.to_second * 1000 + 15_500,
        )


CASES = {
    "nothing": Case((), []),
    "nothing of a part": Case((), [], from_second=65, to_second=307),
    "a second": Case((100,), [(101, 1)]),
    "seconds side by side": Case((100, 102, 104, 105), [(106, 2), (103, 1), (101, 1)]),
    "a minute": Case(range(200, 260), [(260, 60)]),
    # A hundred milliseconds and five seconds without an event: four, or five.
    "the first seconds": Case(range(5), [(5, 4)]),
    "from within a gap": Case(range(200, 260), [(260, 30)], from_second=229),
    "from a full second": Case(range(200, 260), [(260, 60)], from_second=198),
    "the last seconds": Case(range(590, SECONDS), [(599, 9)]),
    "until within a gap": Case(range(200, 260), [(230, 30)], to_second=230),
}


def sent(silent: Collection[int] = (), jitter_ms: int = JITTER_MS) -> list[Event]:
    """An event a second around the full second: numbers, texts and erros."""
    chance = random.Random(4)
    return [
        Event(
            START_MS + second * 1000 + chance.randint(-jitter_ms, jitter_ms),
            *SENSOR,
            chance.choice(VALORES),
        )
        for second in range(SECONDS)
        if second not in silent
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_gaps_are_what_is_missing(empty_place: Place, case: Case) -> None:
    await empty_place.write(EVENTS, [each.line() for each in sent(case.silent)])

    gaps = await _shown(empty_place, "Gaps", case.time_range)
    missing = await _shown(empty_place, "Missing", case.time_range)

    expected: list[object] = [
        (pytest.approx(START_MS + second * 1000, abs=JITTER_MS), count) for second, count in case.shown
    ]
    assert [row for frame in gaps for row in frame.rows()] == expected
    assert stat(SENSOR_DASHBOARD.panel("Missing"), missing) == sum(count for _, count in case.shown)


async def test_a_sensor_that_sent_once_is_missed_before_and_after(empty_place: Place) -> None:
    await empty_place.write(EVENTS, [Event(START_MS + 60_000, *SENSOR, "once").line()])

    (gaps,) = await _shown(empty_place, "Gaps", WHOLE)

    assert gaps.rows() == [(START_MS + 599_000, 538), (START_MS + 60_000, 59)]


async def test_the_table_is_of_the_last_six_hours(empty_place: Place) -> None:
    await empty_place.write(EVENTS, [each.line() for each in sent()])
    end_ms = START_MS + SECONDS * 1000 + 14_500

    (frame,) = await _shown(empty_place, "Gaps", TimeRange(end_ms - 24 * 60 * MINUTE_MS, end_ms))

    # 6 hours less the ten minutes in which it sent, and the 14.5 seconds after them.
    ((until, missing),) = frame.rows()
    assert until == pytest.approx(START_MS, abs=JITTER_MS)
    assert missing == pytest.approx((SIX_HOURS - 10) * 60 - 15, abs=1)


@pytest.mark.parametrize(("every_ms", "expected"), [(1000, 0), (500, 0), (400, 0), (1450, 0), (5000, 400)])
async def test_what_is_owed_is_one_a_second(empty_place: Place, every_ms: int, expected: int) -> None:
    times = range(START_MS, START_MS + 501_000, every_ms)
    await empty_place.write(EVENTS, [Event(at, *SENSOR, 1.5).line() for at in times])
    time_range = TimeRange(START_MS, START_MS + 515_500)

    missing = await _shown(empty_place, "Missing", time_range)

    assert stat(SENSOR_DASHBOARD.panel("Missing"), missing) == expected


@pytest.mark.parametrize("case", [CASES["nothing"], CASES["a minute"]], ids=["nothing", "a minute"])
async def test_the_graph_shows_no_jitter(empty_place: Place, case: Case) -> None:
    await empty_place.write(EVENTS, [each.line() for each in sent(case.silent)])
    await empty_place.count()
    by_minute = [sum(60 * minute <= second < 60 * minute + 60 for second in case.silent) for minute in range(10)]

    # To the end of the last minute, and the time in which its events may still come.
    time_range = TimeRange(START_MS, START_MS + SECONDS * 1000 + 15_000)
    (frame,) = await _shown(empty_place, "Missing events", time_range)

    shown = dict(zip(frame.column("Time"), frame.column("missing"), strict=True))
    assert [shown[START_MS + minute * MINUTE_MS] for minute in range(10)] == [
        pytest.approx(count, abs=1) if count else 0 for count in by_minute
    ]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ({}, 0),
        ({minute: 59 + minute % 2 * 2 for minute in range(SIX_HOURS)}, 0),
        (dict.fromkeys(range(SIX_HOURS), 61), 0),
        ({100: 0, 101: 50}, 70),
    ],
    ids=["nothing", "jitter", "more than is owed", "a gap"],
)
async def test_from_six_hours_on_it_is_counted_by_minutes(
    empty_place: Place, minutes: Mapping[int, int], expected: int
) -> None:
    counts = dict.fromkeys(range(SIX_HOURS), 60) | dict(minutes)
    series = "sensor_minutes,country=brasil,region=sul,sensor=sensor01,status=processado"
    await empty_place.write(
        ROLLUP,
        [f"{series} n={n}i {(START_MS + minute * MINUTE_MS) * 1_000_000}" for minute, n in counts.items() if n],
    )

    # The rollup alone is asked: there are no events.
    time_range = TimeRange(START_MS, START_MS + SIX_HOURS * MINUTE_MS + 15_000)
    missing = await _shown(empty_place, "Missing", time_range)

    assert stat(SENSOR_DASHBOARD.panel("Missing"), missing) == expected


async def _shown(place: Place, title: str, time_range: TimeRange) -> list[Frame]:
    chosen = dict(zip(("country", "region", "sensor"), SENSOR, strict=True))
    return await place.grafana.panel(SENSOR_DASHBOARD, SENSOR_DASHBOARD.panel(title), time_range, chosen)
