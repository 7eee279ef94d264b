"""The profiles: what each declares can be seen in its events."""

from collections import Counter, defaultdict
from itertools import groupby, islice, pairwise

import pytest

from loadgen.plan import Plan
from loadgen.sensor_options import profile_table
from loadgen.sensors import PROFILES, Event, events
from loadgen.sensors.daily import Daily
from loadgen.sensors.profiles import DAYLIGHT, SUNLIGHT, TEMPERATURE
from loadgen.sensors.states import States
from loadgen.sensors.steps import Steps
from loadgen.sensors.walk import Walk

MIDNIGHT_MS = 1_539_140_400_000  # 2018-10-10 in Brasília, which is three hours later in UTC
HOUR_MS = 3_600_000
HALF = 0.5


def day(profile: str, sensors: int = 40) -> list[Event]:
    """Each sensor once a minute, from midnight to midnight."""
    plan = Plan(url="", rate=sensors / 60, sensors=sensors, profile=profile, start_ms=MIDNIGHT_MS)
    return list(islice(events(plan), sensors * 1440))


def by_sensor(sent: list[Event]) -> dict[str, list[Event]]:
    found = defaultdict(list)
    for event in sent:
        found[event.tag].append(event)
    return found


def test_sunlight_is_none_at_night_and_most_at_noon_by_the_clock_of_brasilia() -> None:
    read = SUNLIGHT.maker()(lambda: HALF)
    hours = [float(read(MIDNIGHT_MS + hour * HOUR_MS, HALF)) for hour in range(24)]
    assert hours[:6] == [*hours[19:], 0.0] == [0.0] * 6
    assert hours.index(max(hours)) == 12
    assert max(hours) == SUNLIGHT.high


def test_a_curve_goes_straight_from_hour_to_hour() -> None:
    read = Daily(DAYLIGHT, low=0, high=100, wander=0, decimals=2).maker()(lambda: HALF)
    ten, eleven = (float(read(MIDNIGHT_MS + hour * HOUR_MS, HALF)) for hour in (10, 11))
    assert float(read(MIDNIGHT_MS + 10 * HOUR_MS + HOUR_MS // 2, HALF)) == pytest.approx((ten + eleven) / 2, abs=0.01)


def test_temperature_stays_as_near_to_its_curve_as_declared() -> None:
    for chance in (0.0, HALF, 0.999):
        read = TEMPERATURE.maker()(lambda: HALF)
        at_three = [float(read(MIDNIGHT_MS + 15 * HOUR_MS, chance)) for _ in range(500)]
        assert all(abs(value - TEMPERATURE.high) <= TEMPERATURE.wander for value in at_three)


def test_steps_jump_between_their_levels_and_stay_in_between() -> None:
    levels = (10.0, 50.0, 90.0)
    plan = Plan(url="", rate=0, sensors=1, start_ms=0)
    chances = [float(event.timestamp * 7919 % 1000) / 1000 for event in islice(events(plan), 5000)]
    read = Steps(levels, noise=0.5, readings=50, decimals=1).maker()(lambda: HALF)
    walk = [float(read(0, chance)) for chance in chances]
    near = [min(levels, key=lambda level, value=value: abs(level - value)) for value in walk]  # type: ignore[misc]
    assert all(abs(value - level) <= 0.5 for value, level in zip(walk, near, strict=True))
    jumps = sum(before != after for before, after in pairwise(near))
    assert 20 < jumps < 100, "about every 50 readings, and some end where they began"
    assert set(near) == set(levels)


def test_what_stands_still_does_not_turn_backwards() -> None:
    read = Steps((0.0, 900.0), noise=4, readings=50, decimals=0).maker()(lambda: 0.0)
    assert {float(read(0, 0.1 + number / 1000)) for number in range(900)} == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_a_walk_reaches_both_ends_and_never_leaves_its_range() -> None:
    read = Walk(low=-1, high=1, step=0.5, decimals=1).maker()(lambda: HALF)
    down = [float(read(0, 0.0)) for _ in range(10)]
    up = [float(read(0, 0.999)) for _ in range(10)]
    assert (min(down), max(up)) == (-1.0, 1.0)
    assert down[-1] == -1.0
    assert up[-1] == 1.0


def test_states_go_through_their_words() -> None:
    read = States(("a", "b", "c"), readings=10).maker()(lambda: 0.0)
    assert [read(0, 0.05) for _ in range(4)] == ["b", "c", "a", "b"]
    assert read(0, 0.5) == "b"


@pytest.mark.parametrize("name", PROFILES)
def test_the_shares_of_events_are_as_declared(name: str) -> None:
    troubles = PROFILES[name].troubles
    sent = day(name)
    empty = sum(not event.valor for event in sent) / len(sent)
    assert empty == pytest.approx(troubles.empty, rel=0.25)
    repeated = sum(times - 1 for times in Counter(sent_identities(sent)).values()) / len(sent)
    assert repeated == pytest.approx(troubles.repeated, rel=0.35)
    assert late(sent) / len(sent) == pytest.approx(troubles.late, rel=0.35)


def test_sensors_fall_silent_and_come_back() -> None:
    silent_ms = sum(
        after.timestamp - before.timestamp
        for readings in by_sensor(sorted(day("farm", sensors=120), key=lambda event: event.timestamp)).values()
        for before, after in pairwise(readings)
        if after.timestamp - before.timestamp > 20 * 60_000
    )
    assert silent_ms / (120 * 24 * HOUR_MS) == pytest.approx(PROFILES["farm"].troubles.silent, rel=0.5)


def test_sensors_get_stuck_and_come_loose() -> None:
    sent = day("plant", sensors=120)
    runs = [run for readings in by_sensor(sent).values() for run in numeric_runs(readings)]
    numeric = sum("." in event.valor for event in sent)
    stuck = sum(run for run in runs if run > 20)
    assert stuck / numeric == pytest.approx(PROFILES["plant"].troubles.stuck, rel=0.5)
    assert max(runs) < 1000, "none is stuck for ever"


def sent_identities(sent: list[Event]) -> list[tuple[int, str, str]]:
    return [(event.timestamp, event.tag, event.valor) for event in sent]


def late(sent: list[Event]) -> int:
    """First arrivals of events that are older than the newest before them."""
    newest_ms, seen, found = 0, set(), 0
    for event in sent:
        identity = (event.timestamp, event.tag)
        found += event.timestamp < newest_ms and identity not in seen
        seen.add(identity)
        newest_ms = max(newest_ms, event.timestamp)
    return found


def numeric_runs(readings: list[Event]) -> list[int]:
    """How often numbers with decimals, which hardly ever repeat, come again and again."""
    texts = [event.valor for event in readings if event.valor]
    return [len(list(run)) for text, run in groupby(texts) if "." in text]


def test_the_table_names_every_profile_with_its_troubles() -> None:
    table = profile_table()
    assert all(f"  {profile.name} " in table and profile.summary in table for profile in PROFILES.values())
    assert "empty 2 %, late 3 %, repeated 2 %, stuck 1 %, silent 3 %" in table
