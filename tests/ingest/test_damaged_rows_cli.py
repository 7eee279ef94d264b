from contextlib import closing
from pathlib import Path

import pytest

from ingest.__main__ import main
from ingest.spool import damaged_rows
from ingest.spool import rows as spool_rows
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.file import FILE_NAME
from ingest.sqlite import connect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        spool_rows.prepare(connection)
        damaged_rows.insert(connection, [DamagedRow(1, "its checksum is wrong", 1, b"m v=\x1b\xff 1\n", 5)])
        damaged_rows.insert(connection, [DamagedRow(2, "it was cut off", None, None, 5)])
    return tmp_path


def test_damaged_rows_are_listed_without_harm_to_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["damaged-rows", "list", "--data-dir", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "its checksum is wrong\n    m v=\\x1b\ufffd 1\n" in shown
    assert "it was cut off" in shown


def test_purging_needs_a_yes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["damaged-rows", "purge", "--data-dir", str(folder)]) == 2
    assert main(["damaged-rows", "purge", "--yes", "--data-dir", str(folder)]) == 0
    assert capsys.readouterr().out == "2 rows are forgotten\n"
    with closing(connect(folder / FILE_NAME)) as connection:
        assert damaged_rows.total(connection) == 0


def test_a_file_that_is_none_and_a_folder_without_a_spool_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["damaged-rows", "list", "--data-dir", str(folder / "none")]) == 1
    (folder / FILE_NAME).write_bytes(b"x" * 5000)
    assert main(["damaged-rows", "list", "--data-dir", str(folder)]) == 1
    assert "start ingest first" in capsys.readouterr().err
