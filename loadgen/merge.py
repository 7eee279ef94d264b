"""What several processes measured, merged into one: counts and histograms are added, never percentiles averaged."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from loadgen.latency import Latencies
from loadgen.results import Second, Summary
from loadgen.share import Part
from loadgen.spans import interleave

DIED = "its process died before the answer"


class Shares:
    """Collects the parts of all processes, and gives a second out once everybody who still runs has told it."""

    def __init__(self, processes: int) -> None:
        self._parts: list[deque[Part]] = [deque() for _ in range(processes)]
        self._last: list[Part | None] = [None] * processes
        self._summaries: list[Summary | None] = [None] * processes
        self._ended: set[int] = set()
        self._seconds = 0

    def add(self, share: int, part: Part) -> None:
        self._parts[share].append(part)

    def end(self, share: int, summary: Summary | None) -> None:
        """This process tells no more; without a summary it has died."""
        self._ended.add(share)
        self._summaries[share] = summary

    def told(self, share: int) -> int:
        """How many seconds this process has told of."""
        last = self._parts[share][-1] if self._parts[share] else self._last[share]
        return last.second.second + 1 if last else 0

    def seconds(self) -> Iterator[Second]:
        """Those that are whole by now and were not given out before."""
        while any(self._parts) and all(parts or share in self._ended for share, parts in enumerate(self._parts)):
            news = [parts.popleft() if parts else None for parts in self._parts]
            self._last = [new or last for new, last in zip(news, self._last, strict=True)]
            nexts = [last.second.next_request if last else 0 for last in self._last]
            yield _second(self._seconds, news, nexts)
            self._seconds += 1

    def summary(self) -> Summary:
        """The whole run; what a process that died had in flight has failed, as far as it told."""
        cut_short = [_cut_short(last.so_far) if last else None for last in self._last]
        known = [summary or cut for summary, cut in zip(self._summaries, cut_short, strict=True)]
        return merged_summary([summary for summary in known if summary])


def merged_summary(summaries: Sequence[Summary]) -> Summary:
    latencies = _added(summary.histogram for summary in summaries)
    return Summary(
        sent=sum(summary.sent for summary in summaries),
        acked=sum(summary.acked for summary in summaries),
        rejected=sum(summary.rejected for summary in summaries),
        failed=sum(summary.failed for summary in summaries),
        unsent=sum(summary.unsent for summary in summaries),
        late=sum(summary.late for summary in summaries),
        requests=sum(summary.requests for summary in summaries),
        seconds=max((summary.seconds for summary in summaries), default=0.0),
        latency_ms=latencies.percentiles(),
        errors=_reasons(summary.errors for summary in summaries),
        rejections=_reasons(summary.rejections for summary in summaries),
        interrupted=any(summary.interrupted for summary in summaries),
        histogram=latencies.encode(),
    )


def _second(number: int, parts: Sequence[Part | None], next_requests: Sequence[int]) -> Second:
    told = [part for part in parts if part]
    seconds = [part.second for part in told]
    return Second(
        second=number,
        sent=sum(second.sent for second in seconds),
        acked=sum(second.acked for second in seconds),
        rejected=sum(second.rejected for second in seconds),
        failed=sum(second.failed for second in seconds),
        unsent=sum(second.unsent for second in seconds),
        in_flight=sum(second.in_flight for second in seconds),
        next_request=max(_after(share, local, len(parts)) for share, local in enumerate(next_requests)),
        latency_ms=_added(part.histogram for part in told).percentiles(),
        answered_requests=interleave([part.second.answered_requests if part else [] for part in parts]),
        rejected_events=interleave([part.second.rejected_events if part else [] for part in parts]),
    )


def _after(share: int, next_request: int, processes: int) -> int:
    """The number in the whole that follows a share's last request."""
    return (next_request - 1) * processes + share + 1 if next_request else 0


def _cut_short(so_far: Summary) -> Summary:
    in_flight = so_far.sent - so_far.acked - so_far.rejected - so_far.failed
    errors = so_far.errors | ({DIED: in_flight} if in_flight else {})
    return msgspec.structs.replace(so_far, failed=so_far.failed + in_flight, errors=errors)


def _added(histograms: Iterable[str]) -> Latencies:
    latencies = Latencies()
    for histogram in histograms:
        latencies.add(Latencies.decode(histogram))
    return latencies


def _reasons(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    whole: Counter[str] = Counter()
    for count in counts:
        whole.update(count)
    return dict(whole.most_common())
