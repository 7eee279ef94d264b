"""A range of time in whole hours, whole minutes and what is left: each counted where that is cheapest."""

from collections.abc import Iterator, Sequence

import msgspec


class Piece(msgspec.Struct, frozen=True):
    """``start_ms`` <= time < ``stop_ms`` (Unix ms, None is without end), both multiples of ``unit_ms``."""

    unit_ms: int
    start_ms: int | None
    stop_ms: int | None


def pieces(start_ms: int | None, stop_ms: int | None, units_ms: Sequence[int]) -> Iterator[Piece]:
    """Cut the range so that the coarse units, which come first, take as much of it as they can; the last one is 1."""
    unit_ms, *finer = units_ms
    first_ms = None if start_ms is None else -(-start_ms // unit_ms) * unit_ms
    last_ms = None if stop_ms is None else stop_ms // unit_ms * unit_ms
    if first_ms is not None and last_ms is not None and first_ms >= last_ms:
        if finer and start_ms != stop_ms:
            yield from pieces(start_ms, stop_ms, finer)
        return
    if start_ms != first_ms:
        yield from pieces(start_ms, first_ms, finer)
    yield Piece(unit_ms, first_ms, last_ms)
    if stop_ms != last_ms:
        yield from pieces(last_ms, stop_ms, finer)
