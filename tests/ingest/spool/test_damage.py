"""What the disk can do to the spool's file: whatever is whole is shipped, unaltered, and of the rest it is told."""

import asyncio
import os
import random
import re
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ingest.file_damage import look_at
from ingest.salvage.found import found_in
from ingest.spool.file import FILE_NAME
from ingest.spool.lanes import Lane
from ingest.spool.set_aside import notes
from ingest.spool.spool import Spool
from ingest.sqlite import connect
from tests.faults.disk_shim import DiskShim
from tests.ingest.spool import damaged_spool
from tests.ingest.spool.damaged_spool import LIVE, Crashed, Outcome

# The long form: PULSO_DAMAGE_SEEDS=1000.
SEEDS = int(os.environ.get("PULSO_DAMAGE_SEEDS", "12"))


@pytest.fixture(scope="module", params=["log", "file"])
def crashed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Crashed:
    folder = tmp_path_factory.mktemp("crashed") / "data"
    return asyncio.run(damaged_spool.make(folder, checkpointed=request.param == "file"))


def damage(folder: Path, chance: random.Random) -> str:
    """Flip bits, zero a page, or cut off, at a random place of one of the files."""
    path = folder / chance.choice(["spool.db", "spool.db-wal"])
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    kind = chance.choice(["flip", "flip", "flips", "zero", "cut", "garbage"])
    if kind == "flip":
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "flips":
        for _ in range(20):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "zero":
        page = at // 4096 * 4096
        data[page : page + 4096] = bytes(min(4096, len(data) - page))
    elif kind == "cut":
        del data[at:]
    else:
        end = min(len(data), at + chance.randrange(1, 5000))
        data[at:end] = chance.randbytes(end - at)
    path.write_bytes(data)
    return f"{kind} of {path.name} at {at}"


async def ship_what_is_left(crashed: Crashed, folder: Path) -> tuple[Outcome, set[bytes]]:
    """What a service on the damaged ``folder`` ships and says, and what it lost; nothing may be altered."""
    outcome = await asyncio.wait_for(damaged_spool.ship_all(folder), 60)
    assert LIVE in outcome.lines
    foreign = set(outcome.lines) - crashed.waiting - crashed.shipped - {LIVE}
    assert not foreign, f"altered lines were shipped: {sorted(foreign)[:3]}"
    lost = crashed.waiting - set(outcome.lines)
    assert not lost or outcome.warnings, f"{len(lost)} lines are gone without a word"
    return outcome, lost


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_the_disk_does_what_is_whole_is_shipped_and_the_rest_is_told(
    crashed: Crashed, tmp_path: Path, seed: int
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(crashed.folder, folder)
    print(damage(folder, random.Random(seed)))  # noqa: T201 - a failing test says what was done
    await ship_what_is_left(crashed, folder)


async def test_an_undamaged_file_is_shipped_whole_and_nothing_is_said(crashed: Crashed, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(crashed.folder, folder)
    outcome, lost = await ship_what_is_left(crashed, folder)
    assert (lost, outcome.warnings, outcome.dead_letters) == (set(), [], 1)


async def test_a_row_with_a_flipped_bit_is_kept_apart_and_its_neighbours_go_on(
    crashed: Crashed, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(crashed.folder, folder)
    with closing(connect(folder / FILE_NAME)) as connection:
        (row_id, lines) = connection.execute("SELECT id, lines FROM spool WHERE points = 1 LIMIT 1 OFFSET 5").fetchone()
        altered = lines.replace(b"value=", b"value=1")
        connection.execute("UPDATE spool SET lines = ?, bytes = ? WHERE id = ?", (altered, len(altered), row_id))
        connection.execute("UPDATE totals SET bytes = bytes + 1")
    outcome, lost = await ship_what_is_left(crashed, folder)
    assert lost == {lines}
    assert outcome.warnings == [
        "1 rows of the spool were damaged on the disk and not shipped: `ingest damaged-rows list` has them"
    ]
    with closing(connect(folder / FILE_NAME)) as connection:
        assert connection.execute("SELECT points, lines FROM damaged_rows").fetchall() == [(1, altered)]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE totals SET points = points + 1", "should hold"),
        ("UPDATE totals SET bytes = 1 << 50", "of .* in all"),
        ("DELETE FROM totals", "should hold"),
        ("DROP TRIGGER spool_shrinks; CREATE TRIGGER spool_shrinks AFTER DELETE ON spool BEGIN SELECT 1; END", "made"),
        ("DROP TABLE dirty_total; CREATE TABLE dirty_total (minutes)", "made"),
        ("UPDATE spool SET id = id + 1000000 WHERE id = (SELECT id FROM spool LIMIT 1 OFFSET 9)", None),
    ],
)
async def test_tables_that_are_wrong_cost_nothing(
    crashed: Crashed, tmp_path: Path, statement: str, reason: str | None
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(crashed.folder, folder)
    with closing(connect(folder / FILE_NAME)) as connection:
        connection.executescript(statement)
    outcome, lost = await ship_what_is_left(crashed, folder)
    assert (lost, outcome.dead_letters) == (set(), 1)
    assert reason is None or re.search(reason, outcome.warnings[0]), outcome.warnings


async def test_a_header_that_states_billions_of_pages_is_damage(crashed: Crashed, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(crashed.folder, folder)
    with closing(connect(folder / FILE_NAME)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (folder / FILE_NAME).open("r+b") as file:
        file.seek(28)
        file.write(b"\xff")
    outcome, lost = await ship_what_is_left(crashed, folder)
    assert lost == set()
    assert "pages" in outcome.warnings[0]


@pytest.mark.parametrize("gone", [["spool.db"], ["spool.db-wal"], ["spool.db", "spool.db-wal", "spool.db-shm"]])
async def test_a_file_that_is_gone_is_missed(crashed: Crashed, tmp_path: Path, gone: list[str]) -> None:
    folder = tmp_path / "data"
    shutil.copytree(crashed.folder, folder)
    for name in gone:
        (folder / name).unlink()
    outcome, lost = await ship_what_is_left(crashed, folder)
    assert any("missing" in warning or "is gone" in warning for warning in outcome.warnings)
    assert lost or gone == ["spool.db"]


EARLIER = """
CREATE TABLE totals (points INTEGER NOT NULL, bytes INTEGER NOT NULL, dead_letters INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0, 0);
CREATE TABLE spool (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, points INTEGER NOT NULL, bytes INTEGER NOT NULL,
    lines BLOB NOT NULL
);
CREATE TRIGGER spool_grows AFTER INSERT ON spool BEGIN
    UPDATE totals SET points = points + NEW.points, bytes = bytes + NEW.bytes;
END;
INSERT INTO spool VALUES (NULL, 1600000000000, 2, 16, CAST('m v=1 1' || char(10) || 'm v=2 1' || char(10) AS BLOB));
"""


async def test_a_file_from_before_rows_had_checksums_is_shipped(tmp_path: Path) -> None:
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript(EARLIER)
    outcome = await damaged_spool.ship_all(tmp_path)
    assert (outcome.lines, outcome.warnings) == ([b"m v=1 1\n", b"m v=2 1\n", LIVE], [])


@pytest.mark.parametrize(("name", "at"), [("spool.db-wal", 60_000), ("spool.db-wal", 10), ("spool.db", 10)])
async def test_sectors_that_cannot_be_read_are_damage(crashed: Crashed, tmp_path: Path, name: str, at: int) -> None:
    folder = tmp_path / "data"
    shutil.copytree(crashed.folder, folder)
    if (folder / name).stat().st_size <= at:
        return
    shim = DiskShim(tmp_path / "shim", folder)
    program = f"import asyncio; from pathlib import Path; from tests.ingest.spool import damaged_spool\n\
outcome = asyncio.run(damaged_spool.ship_all(Path({str(folder)!r})))\n\
print(*outcome.lines, sep='\\n', file=open({str(tmp_path / 'said')!r}, 'w'))"
    unreadable = {"PULSO_DISK_UNREADABLE": f"{(folder / name).stat().st_ino}:{at}"}
    environment = os.environ | shim.preloaded | unreadable
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    said = await asyncio.to_thread((tmp_path / "said").read_text)
    lost = {repr(line) for line in crashed.waiting} - set(said.splitlines())
    assert repr(LIVE) in said.splitlines()
    assert len(lost) <= 400, "what stands in the sector, and no more"


async def test_a_break_of_the_log_sets_no_healthy_file_aside(tmp_path: Path) -> None:
    """A power cut inside a commit that nobody was told of: of its pages one did not reach the disk."""
    crashed = await damaged_spool.make(tmp_path / "data", rows=20)
    size = (crashed.folder / "spool.db-wal").stat().st_size
    spool = Spool(crashed.folder, damaged_spool.CAP)
    rows = await spool.backlog.read(Lane(0), 3, 10**9)
    await spool.backlog.remove(rows)
    folder = Path(shutil.copytree(crashed.folder, tmp_path / "cut"))
    await spool.close()
    with (folder / "spool.db-wal").open("r+b") as log:
        log.seek(size)
        log.write(bytes(4120))
    assert look_at(folder / FILE_NAME).log_break
    outcome, lost = await ship_what_is_left(crashed, folder)
    assert (lost, outcome.warnings) == (set(), [])
    assert notes(folder / FILE_NAME) == []


async def test_a_salvage_ends_with_the_service(tmp_path: Path) -> None:
    crashed = await damaged_spool.make(tmp_path / "data", rows=300)
    stopped = threading.Event()
    found = found_in(crashed.folder / FILE_NAME, stopped.is_set)
    next(found)
    stopped.set()
    assert len(list(found)) < 100
