"""Records in a file of the journal: what was written whole is found, whatever stands between and after."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.spool.segment import END, Broken, Life, Record, packed, scanned

NUMBER = 7
LIFE = Life(NUMBER, 2**63 + 11)
records = st.builds(
    Record, st.integers(0, 2**63), st.integers(1, 2**32 - 1), st.binary(max_size=60) | st.just(b"PJ1\n" * 5)
)


def file_of(written: list[Record], life: Life = LIFE) -> bytes:
    return life.head() + b"".join(part for record in written for part in packed(record, life))


@given(st.lists(records), st.binary(max_size=40))
def test_what_was_written_is_read_and_what_stands_after_it_is_not(written: list[Record], after: bytes) -> None:
    assert list(scanned(file_of(written) + after, NUMBER)) == written


@given(st.lists(records, min_size=1), st.data())
def test_a_record_that_a_crash_cut_short_was_never_there(written: list[Record], data: st.DataObject) -> None:
    whole = file_of(written)
    kept = data.draw(st.integers(len(file_of(written[:-1])), len(whole) - 1))
    assert list(scanned(whole[:kept], NUMBER)) == written[:-1]


@given(st.lists(records), st.lists(records, min_size=1))
def test_what_an_earlier_life_of_the_file_left_behind_is_not_read(now: list[Record], before: list[Record]) -> None:
    new, old = file_of(now), file_of(before, Life(NUMBER - 1, 5))
    assert list(scanned(new + old[len(new) :], NUMBER)) == now
    assert list(scanned(new + old, NUMBER)) == now


def flipped(data: bytes, bit: int) -> bytes:
    altered = bytearray(data)
    altered[bit // 8] ^= 1 << bit % 8
    return bytes(altered)


@given(st.lists(records, min_size=2, max_size=6), st.data(), st.booleans())
def test_a_flipped_bit_costs_the_record_it_lies_in_and_is_told_if_that_was_acked(
    written: list[Record], data: st.DataObject, are_acked: bool
) -> None:
    whole = file_of(written)
    ends = [len(file_of(written[: number + 1])) for number in range(len(written))]
    bit = data.draw(st.integers(8 * len(LIFE.head()), 8 * len(whole) - 1))
    hit = next(number for number, end in enumerate(ends) if bit // 8 < end)
    altered = flipped(whole, bit)
    found = list(scanned(altered, NUMBER, len(whole) if are_acked else 0))
    assert [one for one in found if isinstance(one, Record)] == written[:hit] + written[hit + 1 :]
    start = ends[hit - 1] if hit else len(LIFE.head())
    # Of the last one nobody can say whether its write was ever finished, unless it is known to have been acked.
    is_told = are_acked or hit < len(written) - 1
    assert [one for one in found if isinstance(one, Broken)] == (
        [Broken(start, altered[start : ends[hit]])] if is_told else []
    )


@given(st.lists(records, min_size=1, max_size=3), st.data())
def test_of_a_filled_file_the_last_record_is_missed_as_well(written: list[Record], data: st.DataObject) -> None:
    start, end = len(file_of(written[:-1])), len(file_of(written))
    altered = flipped(file_of([*written, END]), data.draw(st.integers(8 * start, 8 * end - 1)))
    assert list(scanned(altered, NUMBER)) == [*written[:-1], Broken(start, altered[start:end])]


@given(st.lists(records, min_size=1, max_size=3), st.integers(0, 8 * len(LIFE.head()) - 1))
def test_with_a_flipped_bit_in_its_head_nothing_of_a_file_is_shipped_and_all_of_it_kept(
    written: list[Record], bit: int
) -> None:
    altered = flipped(file_of(written), bit)
    assert list(scanned(altered, NUMBER, len(altered))) == [Broken(0, altered)]


@given(st.integers(0, 2**64 - 1))
def test_no_text_of_a_sender_passes_for_a_record(secret: int) -> None:
    forged = Record(1, 1, b"".join(packed(Record(1, 1, b"secret,made=up v=1 1\n"), Life(NUMBER, secret))))
    whole = file_of([forged])
    assert list(scanned(whole, NUMBER)) == [forged]
    # Even where the record around it is altered.
    assert [one for one in scanned(flipped(whole, 8 * len(LIFE.head()) + 1), NUMBER) if isinstance(one, Record)] == []


@pytest.mark.parametrize("content", [b"", bytes(1000), b"PJ1\n", b"PJ1\n" + bytes(27), b"PJ1\n" + bytes(28)])
def test_a_file_that_was_never_written_to_holds_nothing(content: bytes) -> None:
    assert list(scanned(content, NUMBER)) == []


def test_what_an_earlier_life_left_behind_costs_no_time_whatever_its_texts_are() -> None:
    hostile = Record(1, 1, b"PJ1\n" * 250)
    before, now = file_of([hostile] * 16_000, Life(NUMBER - 1, 5)), file_of([hostile])
    started = time.thread_time()
    assert list(scanned(now + before[len(now) :], NUMBER)) == [hostile]
    assert time.thread_time() - started < 0.5
