import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.archive.folder import ArchiveFolder
from ingest.archive.hour_files import HourFiles
from ingest.data_folder import FolderInUse
from tests.ingest.archive.lines import files_no_longer_than, names, texts

HOUR, NEXT = "2026-11-23T14", "2026-11-23T15"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ArchiveFolder]:
    folder = ArchiveFolder(tmp_path / "files", tmp_path, reserved_bytes=0)
    yield folder
    folder.release()


@pytest.fixture
def files(folder: ArchiveFolder) -> Iterator[HourFiles]:
    files = HourFiles(folder, "processed")
    yield files
    files.close()


def test_lines_go_to_the_file_of_their_hour(folder: ArchiveFolder, files: HourFiles) -> None:
    for hour, data in ((HOUR, b"1\n2\n"), (NEXT, b"3\n"), (HOUR, b"4\n")):
        files.append(hour, data)
    assert folder.path.joinpath(f"processed/{HOUR}.ndjson").read_bytes() == b"1\n2\n4\n"
    assert folder.path.joinpath(f"processed/{NEXT}.ndjson").read_bytes() == b"3\n"


@pytest.mark.parametrize("fits", [0, 1, 5, 7])
def test_a_disk_that_takes_a_part_of_a_write_leaves_no_torn_line(
    folder: ArchiveFolder, files: HourFiles, fits: int
) -> None:
    files.append(HOUR, b"before\n")
    with files_no_longer_than(len(b"before\n") + fits):
        for _ in range(2):
            with pytest.raises(OSError, match="File too large"):
                files.append(HOUR, b"no room\n")
            assert texts(folder.path) == [b"before"]
    files.append(HOUR, b"after\n")
    assert texts(folder.path) == [b"before", b"after"]


def test_a_part_that_could_not_be_cut_is_cut_before_the_next_append(folder: ArchiveFolder, files: HourFiles) -> None:
    files.append(HOUR, b"before\n")
    path = folder.path / f"processed/{HOUR}.ndjson"
    files._torn = path, path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"half')
    files.append(NEXT, b"after\n")
    assert texts(folder.path) == [b"before", b"after"]


@pytest.mark.parametrize("gone", ["file", "folder", "archive"])
def test_what_somebody_removed_is_made_again(folder: ArchiveFolder, files: HourFiles, gone: str) -> None:
    files.append(HOUR, b"1\n")
    path = folder.path / f"processed/{HOUR}.ndjson"
    path.unlink()
    if gone != "file":
        path.parent.rmdir()
    if gone == "archive":
        for left in (folder.path / "error", folder.path / "lock"):
            left.rmdir() if left.is_dir() else left.unlink()
        folder.path.rmdir()
    files.append(HOUR, b"2\n")
    assert path.read_bytes() == b"2\n"


def test_an_archive_that_is_no_folder_is_an_error_until_it_is_one(folder: ArchiveFolder, files: HourFiles) -> None:
    folder.path.write_bytes(b"in the way")
    with pytest.raises(OSError, match="exists"):
        files.append(HOUR, b"1\n")
    folder.path.unlink()
    files.append(HOUR, b"2\n")
    assert texts(folder.path) == [b"2"]


def test_a_sealed_hour_that_comes_again_begins_a_new_file(folder: ArchiveFolder, files: HourFiles) -> None:
    files.append(HOUR, b"1\n")
    files.seal(HOUR)
    assert names(folder.path) == [f"processed/{HOUR}.sealed.ndjson"]
    files.append(HOUR, b"2\n")
    files.seal(HOUR)
    assert names(folder.path) == [f"processed/{HOUR}.ndjson", f"processed/{HOUR}.sealed.ndjson"]
    assert sorted(texts(folder.path)) == [b"1", b"2"]


def test_the_last_of_a_shared_disk_is_left_to_the_data_folder(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    folder = ArchiveFolder(tmp_path / "files", tmp_path, reserved_bytes=disk.f_blocks * disk.f_frsize)
    folder.claim()
    with pytest.raises(OSError, match="left to the data folder") as raised:
        HourFiles(folder, "processed").append(HOUR, b"1\n")
    assert raised.value.errno == errno.ENOSPC
    folder.release()


def test_one_service_at_a_time_has_the_folder(folder: ArchiveFolder, tmp_path: Path) -> None:
    folder.claim()
    second = ArchiveFolder(folder.path, tmp_path, reserved_bytes=0)
    with pytest.raises(FolderInUse, match=r"archive_dir: another ingest runs on .* with --archive-dir"):
        second.claim()
    with pytest.raises(OSError, match="another ingest runs"):
        HourFiles(second, "processed").append(HOUR, b"1\n")
    folder.release()
    second.claim()
    second.release()


@pytest.mark.parametrize("put_back", [False, True])
def test_a_file_that_somebody_moved_gets_no_more_lines(folder: ArchiveFolder, files: HourFiles, put_back: bool) -> None:
    files.append(HOUR, b"1\n")
    path, moved = folder.path / f"processed/{HOUR}.ndjson", folder.path / "moved"
    path.rename(moved)
    if put_back:
        path.write_bytes(b"another's\nhalf")
    files.append(HOUR, b"2\n")
    assert moved.read_bytes() == b"1\n"
    assert path.read_bytes() == (b"another's\n2\n" if put_back else b"2\n")


@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_written_through_a_link(folder: ArchiveFolder, files: HourFiles, exists: bool) -> None:
    folder.claim()
    victim, link = folder.path / "victim", folder.path / f"processed/{HOUR}.ndjson"
    if exists:
        victim.write_bytes(b"a user's")
    link.symlink_to(victim)
    for _ in range(2):
        with pytest.raises(OSError, match="move it"):
            files.append(HOUR, b"1\n")
    files.seal(HOUR)
    assert link.is_symlink()
    assert victim.exists() == exists
    assert not exists or victim.read_bytes() == b"a user's"
    link.unlink()
    files.append(HOUR, b"2\n")
    assert link.read_bytes() == b"2\n"


def test_a_link_in_the_place_of_a_torn_file_is_not_cut(folder: ArchiveFolder, files: HourFiles) -> None:
    files.append(HOUR, b"1\n")
    path, victim = folder.path / f"processed/{HOUR}.ndjson", folder.path / "victim"
    files._torn = path, path.stat().st_size
    victim.write_bytes(b"a user's")
    path.unlink()
    path.symlink_to(victim)
    files.append(NEXT, b"2\n")
    assert victim.read_bytes() == b"a user's"


def test_a_link_with_the_name_of_a_sealed_file_is_not_replaced(folder: ArchiveFolder, files: HourFiles) -> None:
    files.append(HOUR, b"1\n")
    link = folder.path / f"processed/{HOUR}.sealed.ndjson"
    link.symlink_to(folder.path / "nowhere")
    files.seal(HOUR)
    assert link.is_symlink()
    assert folder.path.joinpath(f"processed/{HOUR}.ndjson").read_bytes() == b"1\n"
