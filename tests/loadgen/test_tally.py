from loadgen.tally import DISTINCT_REASONS, OTHER_REASONS, Tally
from loadgen.verdict import ALL_ACKED, Rejection, Verdict

MS = 1_000_000


def test_every_event_sent_is_acked_rejected_failed_or_in_flight() -> None:
    tally = Tally()
    for _ in range(4):
        tally.send(10, delay_ns=0)
    tally.answer(0, 0, 10, ALL_ACKED, 5 * MS)
    tally.answer(1, 10, 10, Verdict(rejected=(Rejection(3, "old"),)), 5 * MS)
    tally.answer(2, 20, 10, Verdict(error="HTTP 503"), 5 * MS)
    assert (tally.sent, tally.acked, tally.rejected, tally.failed, tally.in_flight) == (40, 19, 1, 10, 10)
    summary = tally.summary(1.0, interrupted=False)
    assert (summary.errors, summary.rejections) == ({"HTTP 503": 10}, {"old": 1})
    assert not summary.all_acked


def test_a_second_holds_what_happened_in_it_and_the_summary_everything() -> None:
    tally = Tally()
    tally.send(1, delay_ns=0)
    tally.send(1, delay_ns=0)
    tally.answer(0, 0, 1, ALL_ACKED, 5 * MS)
    first = tally.close_second(next_request=2)
    tally.answer(1, 1, 1, Verdict(rejected=(Rejection(0, "old"),)), 100 * MS)
    second = tally.close_second(next_request=2)
    assert (first.sent, first.acked, first.in_flight, first.answered_requests) == (2, 1, 1, [(0, 0)])
    assert (second.sent, second.rejected, second.in_flight, second.answered_requests) == (0, 1, 0, [(1, 1)])
    assert second.rejected_events == [(1, 1)]
    assert abs(first.latency_ms.max - 5) < 0.01
    assert abs(second.latency_ms.p50 - 100) < 0.1
    whole = tally.summary(2.0, interrupted=False).latency_ms
    assert abs(whole.p50 - 5) < 0.01
    assert abs(whole.max - 100) < 0.1


def test_late_is_more_than_ten_ms_after_plan() -> None:
    tally = Tally()
    tally.send(3, delay_ns=10 * MS)
    tally.send(4, delay_ns=10 * MS + 1)
    assert tally.late == 4


def test_reasons_that_never_repeat_do_not_pile_up() -> None:
    tally = Tally()
    rejections = tuple(Rejection(index, f"bad {index}") for index in range(1000))
    tally.send(1000, delay_ns=0)
    tally.answer(0, 0, 1000, Verdict(rejected=rejections), MS)
    assert len(tally.rejections) == DISTINCT_REASONS + 1
    assert tally.rejections[OTHER_REASONS] == 1000 - DISTINCT_REASONS
