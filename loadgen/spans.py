"""Spans: many whole numbers as a few pairs (first, last), both ends included."""

from bisect import bisect_right
from collections.abc import Iterable

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
