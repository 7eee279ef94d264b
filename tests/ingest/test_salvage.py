"""SQLite's format, read without SQLite: whatever stands there, it ends, and finds nothing that is not there."""

import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.salvage.found import found_in
from ingest.salvage.record import NoRecord, values, varint
from ingest.salvage.stored_events import events_in
from ingest.spool.rows import Row


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
