"""Commands on a spool: looking changes nothing, and nothing touches what only the service's salvage can read."""

import asyncio
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from ingest.__main__ import main
from ingest.data_folder import DataFolder
from ingest.spool.file import FILE_NAME
from ingest.sqlite import connect
from tests.ingest.spool import damaged_spool
from tests.ingest.spool.damaged_spool import Crashed
from tests.ingest.spool.test_damage import EARLIER

WAL = f"{FILE_NAME}-wal"
FRAME_BYTES = 4120
COMMANDS = (
    ("dead-letters", "list"),
    ("dead-letters", "replay"),
    ("dead-letters", "purge", "--yes"),
    ("damaged-rows", "list"),
    ("damaged-rows", "purge", "--yes"),
)


@pytest.fixture
def crashed(tmp_path: Path) -> Crashed:
    return asyncio.run(damaged_spool.make(tmp_path / "data"))


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (FILE_NAME, WAL)}


def break_the_log(folder: Path) -> None:
    data = bytearray((folder / WAL).read_bytes())
    data[32 + len(data) // FRAME_BYTES // 3 * FRAME_BYTES + 2000] ^= 1
    (folder / WAL).write_bytes(data)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_broken_log_is_left_to_the_service(
    crashed: Crashed, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    break_the_log(crashed.folder)
    before = contents(crashed.folder)
    assert main([*command, "--data-dir", str(crashed.folder)]) == 1
    assert "start ingest first" in capsys.readouterr().err
    assert contents(crashed.folder) == before
    outcome = asyncio.run(damaged_spool.ship_all(crashed.folder))
    assert len(crashed.waiting - set(outcome.lines)) <= 300, "more is lost than the row of the broken page"


@pytest.mark.parametrize("command", ["dead-letters", "damaged-rows"])
def test_looking_changes_nothing(crashed: Crashed, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(crashed.folder)
    assert main([command, "list", "--data-dir", str(crashed.folder)]) == 0
    assert ("m v=x" in capsys.readouterr().out) is (command == "dead-letters")
    assert contents(crashed.folder) == before


def test_beside_a_running_service_nothing_is_said_of_a_file_that_changes(crashed: Crashed) -> None:
    # What the service writes at this moment may look broken from outside; here it really is.
    broken = shutil.copytree(crashed.folder, crashed.folder.with_name("broken"))
    break_the_log(broken)
    with DataFolder(broken):
        assert main(["dead-letters", "list", "--data-dir", str(broken)]) == 0


@pytest.mark.parametrize("command", ["dead-letters", "damaged-rows"])
def test_an_earlier_file_without_such_a_table_has_none(tmp_path: Path, command: str) -> None:
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript(EARLIER)
    assert main([command, "list", "--data-dir", str(tmp_path)]) == 0
