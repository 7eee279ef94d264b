"""The tally of a run: every event sent is acked, rejected, failed or still in flight."""

from collections import Counter

from loadgen.latency import Latencies
from loadgen.results import Second, Summary
from loadgen.spans import spans_of
from loadgen.verdict import Rejection, Verdict

LATE_NS = 10_000_000
DISTINCT_REASONS = 20
OTHER_REASONS = "other reasons"


class Tally:
    """Counts a run, as a whole and by the second. Counts are of events."""

    def __init__(self) -> None:
        self.sent = self.acked = self.rejected = self.failed = self.unsent = self.late = self.requests = 0
        self.errors: Counter[str] = Counter()
        self.rejections: Counter[str] = Counter()
        self.latencies_of_second = Latencies()  # of the one closed last
        self._latencies = Latencies()
        self._this_second = Latencies()
        self._answered_requests: list[int] = []
        self._rejected_events: list[int] = []
        self._before = (0, 0, 0, 0, 0)
        self._seconds = 0

    @property
    def in_flight(self) -> int:
        return self.sent - self.acked - self.rejected - self.failed

    def send(self, size: int, delay_ns: int) -> None:
        """A request leaves, so long after its planned time."""
        self.requests += 1
        self.sent += size
        if delay_ns > LATE_NS:
            self.late += size

    def answer(self, request: int, first_event: int, size: int, verdict: Verdict, latency_ns: int) -> None:
        """An answer came; ``first_event`` is the number of the request's first event in the run."""
        if verdict.error is not None:
            self.fail(size, verdict.error)
            return
        self._this_second.record(latency_ns)
        self._answered_requests.append(request)
        self.acked += size - len(verdict.rejected)
        for rejection in verdict.rejected:
            self._reject(first_event, rejection)

    def fail(self, size: int, reason: str) -> None:
        """Nobody knows what became of these events, or the service said it does not have them."""
        if size:
            self.failed += size
            self.errors[reason] += size

    def give_up(self, size: int) -> None:
        """These events waited too long for a free connection and were never sent."""
        self.unsent += size

    def close_second(self, next_request: int) -> Second:
        """What happened since the last call."""
        latency_ms = self._this_second.percentiles()
        now = (self.sent, self.acked, self.rejected, self.failed, self.unsent)
        sent, acked, rejected, failed, unsent = (new - old for new, old in zip(now, self._before, strict=True))
        second = Second(
            second=self._seconds,
            sent=sent,
            acked=acked,
            rejected=rejected,
            failed=failed,
            unsent=unsent,
            in_flight=self.in_flight,
            next_request=next_request,
            latency_ms=latency_ms,
            answered_requests=spans_of(self._answered_requests),
            rejected_events=spans_of(self._rejected_events),
        )
        self._turn(now)
        return second

    def summary(self, seconds: float, *, interrupted: bool) -> Summary:
        """The whole run, as far as its seconds are closed."""
        return Summary(
            sent=self.sent,
            acked=self.acked,
            rejected=self.rejected,
            failed=self.failed,
            unsent=self.unsent,
            late=self.late,
            requests=self.requests,
            seconds=seconds,
            latency_ms=self._latencies.percentiles(),
            errors=dict(self.errors.most_common()),
            rejections=dict(self.rejections.most_common()),
            interrupted=interrupted,
            histogram=self._latencies.encode(),
        )

    def _reject(self, first_event: int, rejection: Rejection) -> None:
        self.rejected += 1
        self._rejected_events.append(first_event + rejection.index)
        # A reason may quote its event: without a bound, a long run would collect millions of them.
        known = rejection.reason in self.rejections or len(self.rejections) < DISTINCT_REASONS
        self.rejections[rejection.reason if known else OTHER_REASONS] += 1

    def _turn(self, now: tuple[int, int, int, int, int]) -> None:
        self._latencies.add(self._this_second)
        self.latencies_of_second = self._this_second
        self._this_second = Latencies()
        self._answered_requests = []
        self._rejected_events = []
        self._before = now
        self._seconds += 1
