from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.event import Event
from ingest.line_protocol import LineEncoder
from ingest.sink import SpoolSink
from ingest.spool import Blob, Spool


class Remembering:
    """Stands for the spool where only what it is given matters."""

    def __init__(self) -> None:
        self.blobs: list[Blob] = []

    async def append(self, blobs: list[Blob]) -> None:
        self.blobs += blobs


EVENTS = st.lists(st.builds(Event, st.integers(0, 10**12), st.just("a.b.c"), st.text(max_size=200)), max_size=40)
LINES = st.lists(st.integers(0, 999).map(lambda number: b"m v=%d 1\n" % number), max_size=40)


@given(EVENTS, LINES, st.integers(1, 20), st.integers(50, 1000))
async def test_blobs_hold_every_line_in_order_within_their_limits(
    events: list[Event], lines: list[bytes], points: int, size: int
) -> None:
    spool = Remembering()
    await SpoolSink(spool, points, size).append(events, lines)  # type: ignore[arg-type]
    assert b"".join(blob.lines for blob in spool.blobs) == LineEncoder().encode(events) + b"".join(lines)
    assert sum(blob.points for blob in spool.blobs) == len(events) + len(lines)
    assert all(blob.points <= points and (len(blob.lines) <= size or blob.points == 1) for blob in spool.blobs)


@pytest.mark.parametrize("number", [1, 5_000])
async def test_few_and_many_events_reach_the_spool(tmp_path: Path, number: int) -> None:
    spool = Spool(tmp_path, 10**8)
    await SpoolSink(spool, 1000, 10**6).append([Event(i, "a.b.c", str(i)) for i in range(number)], [])
    assert spool.depth.points == number
    await spool.close()
