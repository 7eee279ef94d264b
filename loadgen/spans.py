"""Spans: many whole numbers as a few pairs (first, last), both ends included."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def spans_of(numbers: Iterable[int]) -> list[Span]:
    return merge((number, number) for number in numbers)


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same numbers in ascending spans that neither overlap nor touch."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


class SpanSet:
    """Membership in merged spans."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans = merge(spans)
        self._firsts = [first for first, _ in self.spans]

    def __contains__(self, number: int) -> bool:
        position = bisect_right(self._firsts, number) - 1
        return position >= 0 and number <= self.spans[position][1]

    @property
    def end(self) -> int:
        """One more than the greatest number; 0 if there is none."""
        return self.spans[-1][1] + 1 if self.spans else 0


def interleave(shares: Sequence[Iterable[Span]]) -> list[Span]:
    """Each share's own numbers as those of the whole: number ``i`` of share ``k`` of ``n`` is ``i * n + k``."""
    count = len(shares)
    changes = sorted(
        (place, share, began)
        for share, spans in enumerate(shares)
        for first, last in spans
        for place, began in ((first, True), (last + 1, False))
    )
    present: set[int] = set()
    whole: list[Span] = []
    before = 0
    for place, share, began in changes:
        if len(present) == count:
            whole.append((before * count, place * count - 1))
        else:
            whole += [(i * count + k, i * count + k) for i in range(before, place) for k in sorted(present)]
        before = place
        (present.add if began else present.discard)(share)
    return merge(whole)
