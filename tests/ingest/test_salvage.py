"""SQLite's format, read without SQLite: whatever stands there, it ends, and finds nothing that is not there."""

import random
import shutil
import struct
import tempfile
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.file_damage import look_at
from ingest.line_parser import split_lines
from ingest.salvage import wal
from ingest.salvage.found import found_in
from ingest.salvage.image import Image
from ingest.salvage.record import NoRecord, values, varint
from ingest.salvage.stored_events import events_in
from ingest.spool.changes import Blob
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.rows import Row
from ingest.spool.spool import Spool
from tests.ingest.spool import damaged_spool
from tests.ingest.spool.damaged_spool import LIVE


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_none(data: bytes) -> None:
    for read in (values, lambda some: varint(some, 0)):
        try:
            read(data)
        except NoRecord:
            continue


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(), kind=st.sampled_from([0x0D, 0x0A, 0x02, 0x05, 0]), pages=st.integers(0, 2))
def test_pages_of_rubbish_hold_no_row(seed: int, kind: int, pages: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spool.db"
        page = b"".join(bytes([kind, 0, 0, 0, chance.randrange(1, 40), *chance.randbytes(4091)]) for _ in range(pages))
        path.write_bytes(page + chance.randbytes(chance.randrange(4096)))
        path.with_name("spool.db-wal").write_bytes(chance.randbytes(chance.randrange(9000)))
        assert not [thing for thing in found_in(path) if isinstance(thing, Row)]
        assert not [event for event in events_in(path) if event]


async def test_what_sqlite_replays_is_never_overridden_by_what_stands_behind_it(tmp_path: Path) -> None:
    """A group that failed wrote more pages than the next one: they stand behind it, with the same salts."""
    crashed = await damaged_spool.make(tmp_path / "data", rows=20)
    failed, acked = (Path(shutil.copytree(crashed.folder, tmp_path / name)) for name in ("failed", "acked"))
    for folder, line in ((failed, b"m v=1,t=%s 1\n" % (b"x" * 30_000)), (acked, LIVE)):
        spool = Spool(folder, damaged_spool.CAP)
        await spool.append([Blob(line, 1)])
        shutil.copyfile(folder / "spool.db-wal", folder / "log")
        await spool.close()
    logs = [(folder / "log").read_bytes() for folder in (failed, acked)]
    folder = Path(shutil.copytree(crashed.folder, tmp_path / "spliced"))
    (folder / "spool.db-wal").write_bytes(logs[1] + logs[0][len(logs[1]) :])
    assert look_at(folder / "spool.db").log_break
    rows = [thing for thing in found_in(folder / "spool.db") if isinstance(thing, Row)]
    lines = {line for row in rows for line in split_lines(row.lines)}
    assert lines >= crashed.waiting | {LIVE}
    assert not [thing for thing in found_in(folder / "spool.db") if isinstance(thing, DamagedRow)]


async def test_a_page_number_of_billions_costs_no_more_than_another(tmp_path: Path) -> None:
    crashed = await damaged_spool.make(tmp_path / "data")
    log = crashed.folder / "spool.db-wal"
    data = bytearray(log.read_bytes())
    data[32 + 20 * 4120] ^= 0x80
    log.write_bytes(data)
    started = time.process_time()
    rows = [thing for thing in found_in(crashed.folder / "spool.db") if isinstance(thing, Row)]
    assert {line for row in rows for line in split_lines(row.lines)} >= crashed.waiting
    assert time.process_time() - started < 5


def test_a_chain_that_bites_its_own_tail_ends(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    pages = [bytes(4096), (3).to_bytes(4, "big") * 1024, (2).to_bytes(4, "big") * 1024]
    path.write_bytes(b"".join(pages))
    with Image(path) as image:
        assert len(image.overflow(2, 10**9)) == 2 * 4092


@given(words=st.integers(1, 600), seed=st.integers(), sums=st.tuples(*[st.integers(0, 2**32 - 1)] * 2))
def test_the_sums_are_those_of_the_description(words: int, seed: int, sums: tuple[int, int]) -> None:
    data = random.Random(seed).randbytes(8 * words)
    first, second = sums
    for x, y in struct.iter_unpack("<II", data):
        first = (first + x + second) % 2**32
        second = (second + y + first) % 2**32
    assert wal.sums_of(data, "<", sums) == (first, second)
