import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.latency import BadHistogramError, Latencies, Percentiles

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


@settings(max_examples=30, deadline=None)
@given(first=latencies_ns, second=latencies_ns)
def test_encoded_decoded_and_added_is_as_if_measured_in_one(first: list[int], second: list[int]) -> None:
    whole, parts = Latencies(), [Latencies(), Latencies()]
    for part, values in zip(parts, (first, second), strict=True):
        for latency_ns in values:
            part.record(latency_ns)
            whole.record(latency_ns)
    merged = Latencies()
    for part in parts:
        merged.add(Latencies.decode(part.encode()))
    assert merged.count == len(first) + len(second)
    assert merged.percentiles() == whole.percentiles()
    assert Latencies.decode(Latencies().encode()).percentiles() == Percentiles()


def test_a_histogram_of_many_values_takes_a_few_kilobytes() -> None:
    latencies = Latencies()
    for latency_us in range(10, 1_000_000, 10):
        latencies.record(latency_us * 1000)
    assert len(latencies.encode()) < 10_000


@pytest.mark.parametrize("text", ["", "abc", "HISTFAAA", "é", "AAAA" + Latencies().encode()[4:]])
def test_what_is_no_histogram_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BadHistogramError, match="no HDR histogram"):
        Latencies.decode(text)


def test_a_damaged_histogram_is_said_to_be_none() -> None:
    latencies = Latencies()
    latencies.record(5_000_000)
    text = latencies.encode()
    for place in range(0, len(text) - 4, 4):
        with pytest.raises(BadHistogramError, match="no HDR histogram"):
            Latencies.decode(text[:place] + "////" + text[place + 4 :])
