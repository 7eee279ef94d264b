"""The journal's files: what is in them after whatever happens to the process, and when they go."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.spool.journal import Journal
from ingest.spool.segment import Broken, Record
from tests.faults.disk_shim import DiskShim


def record(text: str) -> Record:
    return Record(1_600_000_000_000, 1, text.encode() * 10)


def contents(folder: Path) -> list[Record | Broken]:
    return [one for _, found in Journal(folder).recover() for one in found]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "journal-current")


def test_what_was_appended_is_there_after_a_crash_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=100)
    written = [record(str(number)) for number in range(20)]
    for first in range(0, 20, 4):
        journal.append(written[first : first + 4])
    assert contents(tmp_path) == written
    assert len(names(tmp_path)) > 2


def test_a_segment_stays_until_all_in_it_is_released_and_is_used_again_then(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    first, second = journal.append([record("a"), record("b")]), journal.append([record("c")])
    journal.release(first, 1)
    assert contents(tmp_path) == [record("a"), record("b"), record("c")]
    journal.release(first, 1)
    assert names(tmp_path) == ["journal-000000000002", "journal-spare"]
    third = journal.append([record("d")])
    assert names(tmp_path) == ["journal-000000000002", "journal-000000000003"]
    assert contents(tmp_path) == [record("c"), record("d")]
    journal.release(second, 1)
    journal.release(third, 1)
    journal.close()
    assert names(tmp_path) == []


def test_what_is_recovered_stays_until_it_is_released_whatever_crashes_again(tmp_path: Path) -> None:
    Journal(tmp_path).append([record("a")])
    for _ in range(3):
        ((segment, found),) = Journal(tmp_path).recover()
        assert found == [record("a")]
    again = Journal(tmp_path)
    ((segment, _),) = again.recover()
    assert again.append([record("b")]).number > segment.number
    again.release(segment, 1)
    assert contents(tmp_path) == [record("b")]


def test_after_a_clean_end_nothing_is_left(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.release(journal.append([record("a")]), 1)
    journal.close()
    assert names(tmp_path) == []


def test_what_could_not_be_written_is_not_kept_and_others_are(tmp_path: Path) -> None:
    def fails(_: object) -> None:
        if failing:
            raise OSError(5, "the disk says no")

    failing = False
    journal = Journal(tmp_path, reached=fails)
    journal.append([record("a")])
    failing = True
    with pytest.raises(OSError, match="the disk says no"):
        journal.append([record("b")])
    failing = False
    journal.append([record("c")])
    assert contents(tmp_path) == [record("a"), record("c")]
    # All that is left in the first file was acked, and is missed.
    first = tmp_path / "journal-000000000001"
    first.write_bytes(first.read_bytes().replace(b"aaaa", b"axaa"))
    broken, last = contents(tmp_path)
    assert isinstance(broken, Broken)
    assert last == record("c")


def test_a_file_that_someone_removed_gets_no_more_records(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([record("a")])
    (tmp_path / "journal-000000000001").unlink()
    journal.append([record("b")])
    assert contents(tmp_path) == [record("b")]


def test_a_file_that_is_gone_at_the_start_is_missed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    for text in "abc":
        segment = journal.append([record(text)])
    assert not Journal(tmp_path).is_missed
    segment.path.unlink()
    again = Journal(tmp_path)
    assert again.is_missed
    assert again.append([record("d")]).number > segment.number
    assert not Journal(tmp_path).is_missed


@pytest.mark.parametrize("segment_bytes", [1, 10_000])
def test_nothing_is_missed_that_was_not_needed_any_more(tmp_path: Path, segment_bytes: int) -> None:
    journal = Journal(tmp_path, segment_bytes)
    for text in "abc":
        journal.release(journal.append([record(text)]), 1)
        assert not Journal(tmp_path).is_missed
    journal.close()
    assert not Journal(tmp_path).is_missed


def test_nothing_is_missed_that_had_gone_when_the_power_failed(tmp_path: Path) -> None:
    """Names are on the disk soon and in order; what was last written in a file may never have come there."""
    journal = Journal(tmp_path, segment_bytes=1)
    segment = journal.append([record("a")])
    note = tmp_path / "journal-current"
    written = note.read_bytes()
    journal.release(segment, 1)
    if note.exists():
        note.write_bytes(written)
    assert not Journal(tmp_path).is_missed


def test_a_folder_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    journal = Journal(folder)
    journal.append([record("a")])
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        journal.append([record("b")])


def test_appending_nothing_tries_the_disk_and_leaves_nothing(tmp_path: Path) -> None:
    Journal(tmp_path).append([])
    assert contents(tmp_path) == []
    assert names(tmp_path) == ["journal-spare"]


def test_what_an_earlier_process_left_behind_does_not_come_back(tmp_path: Path) -> None:
    """Numbers begin anew after a clean start; a spare file of then must not pass for one of now."""
    journal = Journal(tmp_path, segment_bytes=1)
    journal.release(journal.append([record("old")]), 1)
    assert contents(tmp_path) == []
    again = Journal(tmp_path, segment_bytes=10_000)
    again.append([record("new")])
    assert contents(tmp_path) == [record("new")]


def test_the_last_record_is_missed_too_when_it_was_acked(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    segment = journal.append([record("a")])
    journal._note_at = 0.0
    journal.append([record("b")])
    segment.path.write_bytes(segment.path.read_bytes().replace(b"bbbb", b"bxbb"))
    first, broken = contents(tmp_path)
    assert first == record("a")
    assert isinstance(broken, Broken)


@pytest.mark.parametrize("name", ["journal-000000000001", "journal-000000000002"])
def test_a_file_whose_head_is_altered_is_kept_whichever_it_is(tmp_path: Path, name: str) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    journal.append([record("a")])
    journal.append([record("b")])
    altered = bytearray((tmp_path / name).read_bytes())
    altered[20] ^= 1
    (tmp_path / name).write_bytes(altered)
    assert [one.content for one in contents(tmp_path) if isinstance(one, Broken)] == [altered]
    assert len(contents(tmp_path)) == 2


READ = """
import sys
from pathlib import Path
from ingest.spool.journal import Journal
from ingest.spool.segment import Record
for _, contents in Journal(Path(sys.argv[1])).recover():
    print(*("whole" if isinstance(one, Record) else "broken" for one in contents))
"""


def test_sectors_that_cannot_be_read_cost_what_stands_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    segment = journal.append([record(letter * 2_000) for letter in "abcde"])
    shim = DiskShim(tmp_path / "shim", tmp_path)
    # In the middle of the third of five.
    bad = {"PULSO_DISK_UNREADABLE": f"{segment.path.stat().st_ino}:{segment.path.stat().st_size // 2}"}
    command = [sys.executable, "-c", READ, str(tmp_path)]
    variables = os.environ | shim.preloaded | bad
    said = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["whole", "whole", "broken", "whole", "whole"]
