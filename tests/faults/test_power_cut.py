"""What a power cut leaves: everything that was acked is behind an fsync that worked, or else it is not acked.

The platter has what was synced, and where told torn pieces of what was not; the service starts from it.
"""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.file_damage import look_at
from ingest.metrics import Metrics
from ingest.store import Selection
from ingest.store.embedded import EmbeddedStore
from tests.faults.appending import line
from tests.faults.disk_shim import DiskShim
from tests.ingest.spool import damaged_spool


def numbers(said: Sequence[str]) -> tuple[set[int], set[int]]:
    """What was acked, and what was shipped."""
    whole = [entry.split() for entry in said if entry.endswith("\n")]
    acked, shipped = ({int(number) for what, number in whole if what == word} for word in ("acked", "shipped"))
    return acked, shipped


@dataclass
class Machine:
    """One that loses its power; ``acked`` and ``shipped`` are what the process printed until then."""

    disk: Path
    shim: DiskShim
    kind: str
    synchronous: str = "FULL"
    torn_percent: int = 0
    failing_percent: int = 0

    def run_until_cut(self, seconds: float) -> tuple[set[int], set[int]]:
        command = [sys.executable, "-m", "tests.faults.appending", str(self.disk), self.kind, self.synchronous]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | self.shim.variables)
        assert process.stdout is not None
        said = [process.stdout.readline()]
        self.shim.tear(self.torn_percent, failing_percent=self.failing_percent)
        time.sleep(seconds)
        process.kill()
        said += process.stdout.read().splitlines(keepends=True)
        process.stdout.close()
        process.wait()
        return numbers(said)

    def copies(self, number: int) -> Iterator[tuple[set[int], set[int], Path]]:
        """Copies of the folder, log and all, of as many moments under load, each with what was said until then."""
        said = self.disk.with_name("said")
        command = [sys.executable, "-m", "tests.faults.appending", str(self.disk), self.kind, "FULL"]
        with said.open("w") as output:
            process = subprocess.Popen(command, stdout=output)
        try:
            for copy in range(number):
                time.sleep(random.uniform(0.6, 1.0))
                # All files of one moment, as a snapshot or a power cut has them.
                process.send_signal(signal.SIGSTOP)
                folder = Path(shutil.copytree(self.disk, self.disk.with_name(f"copy-{copy}")))
                acked, shipped = numbers(said.read_text().splitlines(keepends=True))
                process.send_signal(signal.SIGCONT)
                yield acked, shipped, folder
        finally:
            process.kill()
            process.wait()

    def platter(self, name: str) -> Path:
        """A copy of what is left."""
        copy = self.disk.with_name(name)
        shutil.copytree(self.shim.platter, copy)
        return copy


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    disk = tmp_path / "disk"
    disk.mkdir()
    return Machine(disk, DiskShim(tmp_path / "shim", disk), "spool")


async def lost(machine: Machine, acked: set[int], shipped: set[int]) -> set[int]:
    """What was acked, and neither shipped nor is in what the power cut has left."""
    return await lost_in(machine.platter("left"), machine.kind, acked, shipped)


async def lost_in(folder: Path, kind: str, acked: set[int], shipped: set[int]) -> set[int]:
    if kind != "embedded":
        outcome = await damaged_spool.ship_all(folder)
        left = {int(one.partition(b"v=")[2].partition(b",")[0]) for one in outcome.lines if one.startswith(b"m ")}
        altered = set(outcome.lines) - {line(number) for number in left} - {damaged_spool.LIVE}
        assert not altered
        assert not [warning for warning in outcome.warnings if "damaged" in warning], outcome.warnings
        return acked - shipped - left
    store = EmbeddedStore(folder, Metrics())
    events = (await store.events(Selection(), None, 10**6)).events
    await store.close()
    return acked - {int(event.valor) for event in events}


@pytest.mark.parametrize("kind", ["journal", "spool", "embedded"])
@pytest.mark.parametrize("torn_percent", [0, 30])
async def test_everything_acked_is_behind_an_fsync(machine: Machine, kind: str, torn_percent: int) -> None:
    machine.kind = kind
    machine.torn_percent = torn_percent
    acked, shipped = await asyncio.to_thread(machine.run_until_cut, random.uniform(0.3, 1.0))
    assert len(acked) > 20
    assert await lost(machine, acked, shipped) == set()


@pytest.mark.parametrize("kind", ["journal", "spool", "embedded"])
async def test_what_a_failed_fsync_dropped_is_not_acked(machine: Machine, kind: str) -> None:
    machine.kind = kind
    machine.torn_percent = machine.failing_percent = 10
    acked, shipped = await asyncio.to_thread(machine.run_until_cut, 1.5)
    assert len(acked) > 5
    assert await lost(machine, acked, shipped) == set()


@pytest.mark.parametrize("kind", ["spool", "embedded"])
@pytest.mark.parametrize("seed", range(3))
async def test_what_a_failed_commit_leaves_in_the_log_hides_no_later_one(
    machine: Machine, kind: str, seed: int
) -> None:
    """Killed after it: the pages of the large group that failed stood behind those of the small one that was acked."""
    control = str(machine.shim.control)
    command = [sys.executable, "-m", "tests.faults.failed_fsync", str(machine.disk), control, kind, str(seed)]
    ran = await asyncio.to_thread(
        subprocess.run, command, env=os.environ | machine.shim.variables, capture_output=True, text=True, check=False
    )
    acked, shipped = numbers(ran.stdout.splitlines(keepends=True))
    assert len(acked) > 12, ran.stderr
    (database,) = machine.disk.glob("*.db")
    assert not look_at(database).log_break
    if kind == "spool":
        outcome = await damaged_spool.ship_all(machine.disk)
        left = {int(one.partition(b"v=")[2].partition(b",")[0]) for one in outcome.lines if one.startswith(b"m ")}
        assert outcome.warnings == []
        assert acked - shipped <= left
    else:
        assert await lost_in(machine.disk, kind, acked, shipped) == set()


async def test_without_the_fsync_this_would_be_noticed(machine: Machine) -> None:
    machine.synchronous = "OFF"
    acked, shipped = await asyncio.to_thread(machine.run_until_cut, 0.5)
    assert len(await lost(machine, acked, shipped)) > 20


@pytest.mark.parametrize("kind", ["journal", "spool", "embedded"])
async def test_a_copy_of_any_moment_has_everything_that_was_acked_before(machine: Machine, kind: str) -> None:
    machine.kind = kind
    copies = await asyncio.to_thread(lambda: list(machine.copies(3)))
    for acked, shipped, copy in copies:
        assert len(acked) > 5
        assert await lost_in(copy, kind, acked, shipped) == set()
