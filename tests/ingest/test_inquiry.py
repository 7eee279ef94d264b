"""Which lines of a refused batch are bad, asked of the real InfluxDB."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.inquiry import alike
from ingest.spool.changes import Blob
from tests.ingest.shipping import Shipping, shipping_to
from tools.influx_server import InfluxServer, make_bucket


@pytest.fixture
async def shipping(tmp_path: Path, influx_server: InfluxServer, influx_bucket: str) -> AsyncIterator[Shipping]:
    async with shipping_to(influx_server, influx_bucket, tmp_path) as running:
        await running.put("m v=0 1")
        await running.settled()
        yield running


async def test_a_batch_of_bad_lines_costs_few_writes_however_many_they_are(shipping: Shipping) -> None:
    bad, good = [f'm v="{n}" {n}' for n in range(2, 102)], [f"m v={n} {n}" for n in range(102, 202)]
    before = shipping.proxy.writes
    await shipping.put(*(line for pair in zip(bad, good, strict=True) for line in pair))
    await shipping.settled()
    assert shipping.stored() == [0, *range(102, 202)]
    assert sorted(line.decode() for line, _ in shipping.dead()) == sorted(f"{line}\n" for line in bad)
    assert all("field type conflict" in reason for _, reason in shipping.dead())
    # The batch, its row again, and a write for each of the two kinds.
    assert shipping.proxy.writes - before <= 4


async def test_rows_of_one_point_are_asked_about_together(shipping: Shipping) -> None:
    shipping.proxy.away = True
    for n in range(2, 100):
        await shipping.put(f"m v={n} {n}")
    await shipping.put('m v="x" 100')
    before, shipping.proxy.away = shipping.proxy.writes, False
    await shipping.settled()
    assert shipping.stored() == [0, *range(2, 100)]
    assert [line for line, _ in shipping.dead()] == [b'm v="x" 100\n']
    # A few of its rows may be on their way already, each its own batch; a write for each of a hundred rows is many.
    assert shipping.proxy.writes - before <= 20


async def test_what_a_retention_takes_no_more_costs_few_writes(tmp_path: Path, influx_server: InfluxServer) -> None:
    year_ns, now_ns, bucket = 365 * 86_400 * 10**9, time.time_ns(), f"ten-years-{secrets.token_hex(4)}"
    make_bucket(influx_server, bucket, retention_seconds=10 * year_ns // 10**9)
    old, young = ([f"m v={n} {now_ns - years * year_ns + n}" for n in range(100)] for years in (12, 1))
    async with shipping_to(influx_server, bucket, tmp_path) as shipping:
        # In one row, and in rows of which one holds both.
        await shipping.put(*old[:50], *young[:50])
        await shipping.put(*young[50:], *old[50:])
        await shipping.settled()
        assert sorted(shipping.stored()) == sorted(float(n) for n in range(100))
        assert sorted(line.decode() for line, _ in shipping.dead()) == sorted(f"{line}\n" for line in old)
        assert all("outside retention policy" in reason for _, reason in shipping.dead())
        # Sorted by time, the batch is halved where the retention ends: 2 × log2(100) and what was sent before.
        assert shipping.proxy.writes <= 2 * (2 + 2 * 7)


async def test_of_lines_alike_the_bad_ones_are_found_by_halving(shipping: Shipping) -> None:
    # A new shard takes the text, so of lines that look the same only some are refused.
    year_ns = 365 * 86_400 * 10**9
    lines = [f'm v="x" {n}' for n in (2, 40 * year_ns, 3, 41 * year_ns, 4)]
    await shipping.put(*lines)
    await shipping.settled()
    assert sorted(line.decode() for line, _ in shipping.dead()) == [f'm v="x" {n}\n' for n in (2, 3, 4)]


async def test_events_do_not_wait_for_the_inquiry_after_what_others_wrote(shipping: Shipping) -> None:
    conflicts = [f'm{n} v="x" 1' for n in range(100)]
    await shipping.put(*(f"m{n} v=1 1" for n in range(100)))
    await shipping.settled()
    for _ in range(5):
        await shipping.put(*conflicts)
    await shipping.spool.append([Blob(b"events,country=a,region=b,sensor=c,status=processado value=1 1\n", 1, True)])
    event_went = asyncio.create_task(shipping.shows("ingest_events_stored_total 102.0"))
    done, _ = await asyncio.wait([event_went], timeout=20)
    assert done
    assert shipping.spool.depth.points > 0, "the inquiry ended first, so this shows nothing: make it longer"
    await shipping.settled()
    assert len(shipping.dead()) == 500


def lines_of(parts: list[tuple[int, str, int]]) -> list[bytes]:
    return [f"m{m},s={n} v={value} {time}\n".encode() for n, (m, value, time) in enumerate(parts)]


LINES = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(['"a\nb"', "1", "1i", "1u", "t"]), st.integers(0, 5))
).map(lines_of)


@given(LINES)
def test_groups_hold_every_line_once_by_time_and_in_the_order_they_came(lines: list[bytes]) -> None:
    groups = alike(lines)
    assert Counter(text for group in groups for text in group) == Counter(lines)
    for group in groups:
        assert len({(text.split(b",")[0], text.split(b" v=")[1][:1].isdigit()) for text in group}) == 1
        keys = [(int(text.rsplit(b" ", 1)[1]), lines.index(text)) for text in group]
        assert keys == sorted(keys)
