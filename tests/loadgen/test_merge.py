"""Several processes add up to one run."""

from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.latency import Percentiles
from loadgen.merge import DIED, Shares
from loadgen.results import Second
from loadgen.share import Part
from loadgen.tally import Tally
from loadgen.verdict import ALL_ACKED, Rejection, Verdict

MS = 1_000_000


class Worker:
    """A tally that tells its seconds as a process does."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.request = 0

    def answered(self, verdict: Verdict = ALL_ACKED, latency_ms: int = 5) -> None:
        self.tally.send(2, delay_ns=0)
        self.tally.answer(self.request, 2 * self.request, 2, verdict, latency_ms * MS)
        self.request += 1

    def part(self) -> Part:
        second = self.tally.close_second(self.request)
        so_far = self.tally.summary(1.0, interrupted=False)
        return Part(second, self.tally.latencies_of_second.encode(), so_far)


def given_out(shares: Shares) -> list[Second]:
    return list(shares.seconds())


def test_a_second_is_given_out_when_all_have_told_it() -> None:
    shares, one, other = Shares(2), Worker(), Worker()
    one.answered()
    one.answered(Verdict(rejected=(Rejection(1, "old"),)))
    other.answered(latency_ms=100)
    shares.add(0, one.part())
    assert given_out(shares) == []
    shares.add(1, other.part())
    (second,) = given_out(shares)
    assert (second.second, second.sent, second.acked, second.rejected) == (0, 6, 5, 1)
    assert second.answered_requests == [(0, 2)]
    # The second event of request 1 of process 0 is its event 3, and number 6 of the whole.
    assert second.rejected_events == [(6, 6)]
    assert second.next_request == 3
    assert abs(second.latency_ms.max - 100) < 0.1
    assert abs(second.latency_ms.p50 - 5) < 0.01


def test_nobody_waits_for_who_has_ended() -> None:
    shares, one, other = Shares(2), Worker(), Worker()
    shares.add(1, other.part())
    shares.end(1, other.tally.summary(1.0, interrupted=False))
    for _ in range(3):
        one.answered()
        shares.add(0, one.part())
    assert [second.sent for second in given_out(shares)] == [2, 2, 2]
    assert given_out(shares) == []


def test_what_a_dead_process_had_in_flight_has_failed_as_far_as_it_told() -> None:
    shares, one, other = Shares(2), Worker(), Worker()
    one.answered()
    other.answered()
    other.tally.send(2, delay_ns=0)
    shares.add(0, one.part())
    shares.add(1, other.part())
    assert [second.in_flight for second in given_out(shares)] == [2]
    shares.end(0, one.tally.summary(2.0, interrupted=False))
    shares.end(1, None)
    summary = shares.summary()
    assert (summary.sent, summary.acked, summary.failed, summary.errors) == (6, 4, 2, {DIED: 2})
    assert summary.seconds == 2.0
    assert shares.told(1) == 1


@settings(max_examples=30)
@given(latencies_ms=st.lists(st.lists(st.integers(1, 10_000), max_size=30), min_size=1, max_size=4))
def test_percentiles_are_those_of_all_latencies_together(latencies_ms: list[list[int]]) -> None:
    shares, whole = Shares(len(latencies_ms)), Worker()
    for share, of_share in enumerate(latencies_ms):
        worker = Worker()
        for latency_ms in of_share:
            worker.answered(latency_ms=latency_ms)
            whole.answered(latency_ms=latency_ms)
        shares.add(share, worker.part())
        shares.end(share, worker.tally.summary(1.0, interrupted=False))
    (second,) = given_out(shares)
    expected = whole.part()
    assert second.latency_ms == expected.second.latency_ms
    assert shares.summary().latency_ms == expected.so_far.latency_ms
    assert shares.summary().histogram == expected.so_far.histogram
    assert Percentiles() == Shares(2).summary().latency_ms
