import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.minutes import HOUR_MS, MINUTE_MS
from ingest.store.pieces import Piece, pieces

UNITS_MS = (HOUR_MS, MINUTE_MS, 1)
TIMES = st.integers(0, 5 * HOUR_MS) | st.integers(0, 300).map(lambda minute: minute * MINUTE_MS)


@given(TIMES, TIMES)
def test_law_pieces_join_to_the_range_and_keep_to_their_units(start_ms: int, stop_ms: int) -> None:
    found = list(pieces(start_ms, stop_ms, UNITS_MS))
    at_ms = start_ms
    for piece in found:
        assert piece.start_ms == at_ms
        assert piece.stop_ms is not None
        assert piece.stop_ms > at_ms
        assert piece.start_ms % piece.unit_ms == piece.stop_ms % piece.unit_ms == 0
        at_ms = piece.stop_ms
    assert at_ms == (stop_ms if stop_ms > start_ms else start_ms), f"{found} end at {at_ms}"
    assert all(piece.unit_ms == HOUR_MS for piece in found if piece.stop_ms - piece.start_ms >= 2 * HOUR_MS)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("start_ms", "stop_ms", "expected"),
    [
        (None, None, [Piece(HOUR_MS, None, None)]),
        (5, None, [Piece(1, 5, MINUTE_MS), Piece(MINUTE_MS, MINUTE_MS, HOUR_MS), Piece(HOUR_MS, HOUR_MS, None)]),
        (None, HOUR_MS, [Piece(HOUR_MS, None, HOUR_MS)]),
        (None, HOUR_MS + 5, [Piece(HOUR_MS, None, HOUR_MS), Piece(1, HOUR_MS, HOUR_MS + 5)]),
        (0, HOUR_MS, [Piece(HOUR_MS, 0, HOUR_MS)]),
        (5, 5, []),
        (9, 5, []),
    ],
)
def test_ends(start_ms: int | None, stop_ms: int | None, expected: list[Piece]) -> None:
    assert list(pieces(start_ms, stop_ms, UNITS_MS)) == expected
