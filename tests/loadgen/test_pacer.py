"""The pacer is arithmetic, so its laws are checked over plans of every shape."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from loadgen.pace import NS_PER_SECOND
from loadgen.pacer import Pacer
from loadgen.plan import Plan, Stage

rates = st.one_of(st.integers(1, 200_000).map(float), st.floats(0.001, 5000))
batches = st.integers(1, 1500)


def pacer(rate: float, seconds: float | None = None, batch: int = 1, events: int | None = None) -> Pacer:
    plan = Plan(url="", rate=rate, batch=batch, duration_seconds=seconds, events=events, start_ms=0)
    return Pacer.of(plan)


def sizes(paced: Pacer) -> list[int]:
    assert paced.events is not None
    return [paced.size(request) for request in range(-(-paced.events // paced.batch) + 2)]


@given(rate=st.integers(1, 200_000), seconds=st.integers(1, 3600))
def test_a_whole_number_of_seconds_holds_exactly_rate_times_seconds(rate: int, seconds: int) -> None:
    assert pacer(rate, seconds).events == rate * seconds


def test_a_tenth_of_a_second_is_a_tenth_though_floats_are_not() -> None:
    assert pacer(1000, 0.1).events == 100
    assert pacer(1000, 0.3).events == 300


@given(rate=rates, batch=batches, events=st.integers(1, 5000))
def test_requests_carry_every_event_once_and_end(rate: float, batch: int, events: int) -> None:
    *carried, after, later = sizes(pacer(rate, None, batch, events))
    assert sum(carried) == events
    assert carried[:-1] == [batch] * (len(carried) - 1)
    assert (after, later) == (0, 0)


@given(rate=rates, event=st.integers(0, 10**9))
def test_events_are_evenly_spread(rate: float, event: int) -> None:
    paced = pacer(rate)
    gap_ns = paced.event_ns(event + 1) - paced.event_ns(event)
    assert abs(gap_ns - NS_PER_SECOND / Fraction(rate).limit_denominator(1_000_000)) <= 1
    assert paced.event_ns(0) == 0


@given(rate=rates, batch=batches, request=st.integers(0, 10**6))
def test_a_request_leaves_when_its_last_event_has_happened(rate: float, batch: int, request: int) -> None:
    paced = pacer(rate, None, batch)
    assert paced.request_ns(request) == paced.event_ns((request + 1) * batch - 1)


def test_the_smaller_of_duration_and_events_ends_the_run() -> None:
    assert pacer(100, 10, events=5).events == 5
    assert pacer(100, 10, events=5000).events == 1000
    assert pacer(100, 60).end_ns == 60 * NS_PER_SECOND


def test_without_a_rate_everything_is_due_at_once() -> None:
    paced = pacer(0, 10)
    assert paced.events is None
    assert paced.request_ns(12345) == 0


@given(rate=st.one_of(st.just(0.0), rates), processes=st.integers(1, 5), events=st.integers(0, 500))
def test_shares_make_up_the_whole_run(rate: float, processes: int, events: int) -> None:
    plan = Plan(url="", rate=rate, events=events, start_ms=0, processes=processes)
    whole = Pacer.of(plan_of(rate=rate, events=events))
    shares = [Pacer.of(share) for share in plan.shares()]
    planned = sorted(share.event_ns(event) for share in shares for event in range(share.events or 0))
    assert planned == [whole.event_ns(event) for event in range(events)]


@given(
    rate=st.one_of(st.just(0.0), rates, st.integers(10**5, 10**7).map(float)),
    stages=st.lists(st.builds(Stage, st.integers(0, 9999), st.integers(1, 9999), st.floats(0.01, 2)), max_size=3),
    processes=st.integers(1, 3),
)
def test_ms_are_those_of_the_events(rate: float, stages: Sequence[Stage], processes: int) -> None:
    plan = plan_of(rate=rate, stages=tuple(stages), processes=processes)
    for share in plan.shares():
        paced = Pacer.of(share)
        assert list(islice(paced.events_ms(), 300)) == [paced.event_ns(event) // 1_000_000 for event in range(300)]


def test_a_ramp_has_the_events_of_its_integral_and_ends_with_it() -> None:
    paced = Pacer.of(plan_of(stages=(Stage(0, 50_000, 60), Stage(50_000, 50_000, 10))))
    assert paced.events == 50_000 * 60 // 2 + 50_000 * 10
    assert paced.end_ns == 70 * NS_PER_SECOND
    assert Pacer.of(plan_of(stages=(Stage(0, 50_000, 60),), events=7)).events == 7


def plan_of(**settings: object) -> Plan:
    return Plan(url="", start_ms=0, **settings)  # type: ignore[arg-type]
