"""Newest first is told, once; a few late events are not."""

from pathlib import Path

import pytest

from loadgen.replay.lines import Line
from loadgen.replay.order import watched


def told(stamps: list[int]) -> int:
    """How often it is said; the lines have to come through as they are."""
    sayings: list[None] = []
    lines = [Line(b"{}\n", stamp, Path("f"), number) for number, stamp in enumerate(stamps)]
    assert list(watched(iter(lines), lambda: sayings.append(None))) == lines
    return len(sayings)


@pytest.mark.parametrize("length", [2, 3, 11, 12, 1000])
def test_newest_first_is_told_once(length: int) -> None:
    assert told(list(range(length, 0, -1))) == 1


def test_newest_first_is_told_before_all_is_read() -> None:
    class ToldError(Exception):
        pass

    def tell() -> None:
        raise ToldError

    endless = (Line(b"{}\n", -number, Path("f"), number) for number in range(10**9))
    with pytest.raises(ToldError):
        list(watched(endless, tell))


@pytest.mark.parametrize(
    "stamps",
    [
        [],
        [5],
        [5, 5, 5],
        list(range(100)),
        [5, 4, 6],
        [50, *range(30, 60)],
        [stamp - 20 * (stamp % 7 == 0) for stamp in range(1000)],
    ],
    ids=["none", "one", "equal", "in order", "one late", "first ahead", "many late"],
)
def test_other_orders_are_not(stamps: list[int]) -> None:
    assert told(stamps) == 0
