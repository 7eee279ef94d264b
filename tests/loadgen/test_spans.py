from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from loadgen.spans import SpanSet, interleave, spans_of

numbers = st.sets(st.integers(0, 200))


@given(some=numbers)
def test_spans_hold_the_same_numbers_and_never_touch(some: set[int]) -> None:
    spans = spans_of(some)
    assert {number for first, last in spans for number in range(first, last + 1)} == some
    assert all(before[1] + 1 < after[0] for before, after in pairwise(spans))


@given(one=numbers, other=numbers)
def test_a_set_of_spans_from_many_seconds_answers_like_a_set(one: set[int], other: set[int]) -> None:
    together = SpanSet([*spans_of(one), *spans_of(other)])
    assert {number for number in range(-1, 202) if number in together} == one | other
    assert together.end == max(one | other, default=-1) + 1


@given(shares=st.lists(numbers, min_size=1, max_size=4))
def test_shares_interleave_into_the_whole(shares: list[set[int]]) -> None:
    whole = interleave([spans_of(share) for share in shares])
    assert whole == spans_of(number * len(shares) + k for k, share in enumerate(shares) for number in share)


def test_shares_that_keep_step_are_one_span() -> None:
    assert interleave([[(0, 999)], [(0, 999)], [(0, 999)]]) == [(0, 2999)]
