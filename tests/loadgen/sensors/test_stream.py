"""The stream of events: repeatable, distinct, on time, whatever the profile."""

import re
import subprocess
import sys
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.plan import Plan, Stage
from loadgen.sensors import PROFILES, Event, Stream, events

START_MS = 1_539_112_021_301
NUMBER = re.compile(r"-?\d+\.\d{1,2}")
PROFILE_NAMES = tuple(PROFILES)
rates = st.one_of(st.just(0.0), st.integers(1, 50_000).map(float), st.floats(0.1, 5000))


def plan(sensors: int = 1000, rate: float = 1000, seed: int = 1, **more: Any) -> Plan:
    return Plan(url="", sensors=sensors, rate=rate, seed=seed, start_ms=START_MS, **more)


def take(count: int, source: Plan) -> list[Event]:
    return list(islice(events(source), count))


@given(sensors=st.integers(1, 100), rate=rates, seed=st.integers(), profile=st.sampled_from(PROFILE_NAMES))
def test_the_same_plan_gives_the_same_events(sensors: int, rate: float, seed: int, profile: str) -> None:
    expected = take(150, plan(sensors, rate, seed, profile=profile))
    assert take(150, plan(sensors, rate, seed, batch=7, profile=profile)) == expected


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_the_same_plan_gives_the_same_events_in_another_process(profile: str) -> None:
    script = (
        "import msgspec; from itertools import islice\n"
        "from loadgen.plan import Plan; from loadgen.sensors import events\n"
        f"plan = msgspec.json.decode({msgspec.json.encode(plan(profile=profile))!r}, type=Plan)\n"
        "print(msgspec.json.encode(list(islice(events(plan), 5000))).decode())"
    )
    # Hashes of texts differ from process to process; nothing may hang on them.
    other = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert msgspec.json.decode(other.stdout, type=list[Event]) == take(5000, plan(profile=profile))


@given(sensors=st.integers(1, 50), rate=rates)
def test_every_event_has_an_identity_of_its_own_and_time_never_goes_back(sensors: int, rate: float) -> None:
    sent = take(200, plan(sensors, rate))
    assert len({(event.timestamp, event.tag) for event in sent}) == len(sent)
    assert all(before.timestamp <= after.timestamp for before, after in pairwise(sent))


stages = st.lists(st.builds(Stage, st.integers(0, 90_000), st.integers(1, 90_000), st.floats(0.01, 1)), max_size=3)


@given(sensors=st.integers(4, 30), rate=rates, stages=stages, processes=st.integers(1, 4))
def test_shares_have_sensors_of_their_own_and_every_event_an_identity(
    sensors: int, rate: float, stages: list[Stage], processes: int
) -> None:
    whole = msgspec.structs.replace(plan(sensors, rate), stages=tuple(stages), processes=processes)
    sent = [take(200, share) for share in whole.shares()]
    tags = [{event.tag for event in events} for events in sent]
    assert sum(map(len, tags)) == len(set().union(*tags)) == sensors
    assert len({(event.timestamp, event.tag) for events in sent for event in events}) == 200 * processes
    assert sent == [take(200, share) for share in whole.shares()]


def test_a_sensor_is_the_same_kind_however_many_processes_share_the_run() -> None:
    whole = msgspec.structs.replace(plan(40), processes=3)
    kinds = {event.tag: bool(NUMBER.fullmatch(event.valor)) for event in take(400, plan(40)) if event.valor}
    for share in whole.shares():
        assert all(kinds[event.tag] == bool(NUMBER.fullmatch(event.valor)) for event in take(400, share) if event.valor)


@given(sensors=st.integers(1, 50), rate=rates, seed=st.integers(), profile=st.sampled_from(PROFILE_NAMES))
def test_an_event_that_comes_twice_is_the_same_event_and_no_other_shares_its_sensor_and_time(
    sensors: int, rate: float, seed: int, profile: str
) -> None:
    sent = take(2000, plan(sensors, rate, seed, profile=profile))
    identities = {(event.timestamp, event.tag, event.valor) for event in sent}
    assert len(identities) == len({(event.timestamp, event.tag) for event in sent})
    assert max(Counter((event.timestamp, event.tag) for event in sent).values()) <= 2


@given(sensors=st.integers(1, 50), rate=rates, profile=st.sampled_from(PROFILE_NAMES), count=st.integers(1, 3000))
def test_what_comes_late_is_known_to_be_held_back(sensors: int, rate: float, profile: str, count: int) -> None:
    stream = Stream(plan(sensors, rate, profile=profile))
    sending = iter(stream)
    newest_ms = max(event.timestamp for event in islice(sending, count))
    held_ms = stream.oldest_held_ms
    oldest_to_come = min(event.timestamp for event in islice(sending, 70 * sensors))
    assert oldest_to_come >= (newest_ms if held_ms is None else min(newest_ms, held_ms))


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_a_place_of_the_plan_is_never_empty_and_its_event_never_of_the_future(profile: str) -> None:
    sent = take(30_000, plan(rate=1000, sensors=200, profile=profile))
    assert all(event.timestamp <= START_MS + place for place, event in enumerate(sent))


@given(sensors=st.integers(1, 50), rate=st.integers(1, 1000))
def test_timestamps_are_the_planned_times_while_sensors_are_slow_enough(sensors: int, rate: int) -> None:
    sent = take(200, plan(sensors, rate))
    assert [event.timestamp for event in sent] == [START_MS + index * 1000 // rate for index in range(200)]


def test_another_seed_gives_other_readings() -> None:
    assert take(1000, plan(seed=1)) != take(1000, plan(seed=2))


def test_each_of_a_thousand_sensors_sends_an_event_a_second() -> None:
    first, second = take(1000, plan()), take(2000, plan())[1000:]
    assert [event.tag for event in first] == [event.tag for event in second]
    assert all(b.timestamp - a.timestamp == 1000 for a, b in zip(first, second, strict=True))


def test_tags_are_numbered_over_all_and_even_over_the_regions() -> None:
    tags = [event.tag for event in take(1000, plan())]
    assert len(set(tags)) == 1000
    assert tags[0] == "brasil.norte.sensor0001"
    assert sorted(tag.split(".sensor")[1] for tag in tags) == [f"{number:04}" for number in range(1, 1001)]
    regions = Counter(tag.split(".")[1] for tag in tags)
    assert regions == dict.fromkeys(("norte", "nordeste", "sudeste", "sul"), 250)
    assert take(1, plan(sensors=4))[0].tag == "brasil.norte.sensor01"


def test_readings_are_mostly_numbers_some_words_and_a_few_nothing() -> None:
    sent = take(50_000, plan())
    words = [event for event in sent if event.valor and not NUMBER.fullmatch(event.valor)]
    empty = sum(1 for event in sent if not event.valor)
    assert 0.007 < empty / len(sent) < 0.013
    assert 0.03 < len({event.tag for event in words}) / 1000 < 0.07
    assert {"aberta", "fechada", "ligado", "desligado", "manutenção", "atenção"} <= {event.valor for event in words}


def test_numbers_walk_instead_of_jumping() -> None:
    by_tag: dict[str, list[float]] = {}
    for event in take(20_000, plan(sensors=100)):
        if NUMBER.fullmatch(event.valor):
            by_tag.setdefault(event.tag, []).append(float(event.valor))
    widest = max(abs(after - before) for walk in by_tag.values() for before, after in pairwise(walk))
    assert 0 < widest <= 0.8 + 1e-9
    assert all(len(set(walk)) > 10 for walk in by_tag.values())
