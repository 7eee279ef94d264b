from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.latency import Latencies, Percentiles

latencies_ns = st.lists(st.integers(100_000, 10**10), min_size=1, max_size=50)


@settings(max_examples=30)
@given(first=latencies_ns, second=latencies_ns)
def test_percentiles_are_those_of_all_values_within_a_percent(first: list[int], second: list[int]) -> None:
    whole, part = Latencies(), Latencies()
    for latency_ns in first:
        whole.record(latency_ns)
    for latency_ns in second:
        part.record(latency_ns)
    whole.add(part)
    told, values = whole.percentiles(), sorted(first + second)
    for percent, ms in ((50, told.p50), (90, told.p90), (100, told.max)):
        # The histogram rounds a rank to the nearest one.
        exact_ms = values[max(int(len(values) * percent / 100 + 0.5), 1) - 1] / 1e6
        assert abs(ms - exact_ms) <= 0.01 * exact_ms + 0.011, f"p{percent} of {values}: {ms}, not {exact_ms}"


def test_nothing_measured_is_all_zero_and_an_hour_is_the_most() -> None:
    latencies = Latencies()
    assert latencies.percentiles() == Percentiles()
    latencies.record(10**16)
    assert 3_599_000 <= latencies.percentiles().max <= 3_605_000
