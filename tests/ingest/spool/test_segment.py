"""Records in a file of the journal: what was written whole is found, whatever stands between and after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.spool.segment import Broken, Record, packed, scanned

SEGMENT = 7
records = st.builds(
    Record, st.integers(0, 2**63), st.integers(0, 2**32 - 1), st.binary(max_size=60) | st.just(b"PJ1\n" * 5)
)


def file_of(written: list[Record], segment: int = SEGMENT) -> bytes:
    return b"".join(part for record in written for part in packed(record, segment))


@given(st.lists(records), st.binary(max_size=40))
def test_what_was_written_is_read_and_what_stands_after_it_is_not(written: list[Record], after: bytes) -> None:
    assert list(scanned(file_of(written) + after, SEGMENT)) == written


@given(st.lists(records, min_size=1), st.data())
def test_a_record_that_a_crash_cut_short_was_never_there(written: list[Record], data: st.DataObject) -> None:
    whole = file_of(written)
    kept = data.draw(st.integers(len(file_of(written[:-1])), len(whole) - 1))
    assert list(scanned(whole[:kept], SEGMENT)) == written[:-1]


@given(st.lists(records), st.lists(records, min_size=1))
def test_what_an_earlier_life_of_the_file_left_behind_is_not_read(now: list[Record], before: list[Record]) -> None:
    new, old = file_of(now), file_of(before, SEGMENT - 1)
    assert list(scanned(new + old[len(new) :], SEGMENT)) == now
    assert list(scanned(new + old, SEGMENT)) == now


@given(st.lists(records, min_size=2, max_size=6), st.data())
def test_a_flipped_bit_costs_the_record_it_lies_in_and_is_told_if_others_follow(
    written: list[Record], data: st.DataObject
) -> None:
    whole = bytearray(file_of(written))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    ends = [len(file_of(written[: number + 1])) for number in range(len(written))]
    hit = next(number for number, end in enumerate(ends) if bit // 8 < end)
    found = list(scanned(bytes(whole), SEGMENT))
    assert [one for one in found if isinstance(one, Record)] == written[:hit] + written[hit + 1 :]
    broken = [one for one in found if isinstance(one, Broken)]
    start = ends[hit - 1] if hit else 0
    # Of the last one nobody can say whether its write was ever finished.
    expected = [] if hit == len(written) - 1 else [Broken(start, bytes(whole[start : ends[hit]]))]
    assert broken == expected


@pytest.mark.parametrize("content", [b"", bytes(1000), b"PJ1\n", b"PJ1\n" + bytes(27), b"PJ1\n" + bytes(28)])
def test_a_file_that_was_never_written_to_holds_nothing(content: bytes) -> None:
    assert list(scanned(content, SEGMENT)) == []
