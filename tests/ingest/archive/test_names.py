import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from ingest.archive.names import Kind, files_in, hour_ms, hour_name, path_of


@pytest.mark.parametrize(
    ("time_ms", "name"),
    [
        (0, "1970-01-01T00"),
        (1_795_442_399_999, "2026-11-23T13"),
        (1_795_442_400_000, "2026-11-23T14"),
        (1_795_445_999_999, "2026-11-23T14"),
    ],
)
def test_an_hour_is_named_in_utc(time_ms: int, name: str) -> None:
    assert hour_name(time_ms) == name


@pytest.mark.parametrize(("name", "time_ms"), [("2026-11-23T14", 1_795_442_400_000), ("2026-99-99T99", 0)])
def test_an_hours_name_says_when_it_begins(name: str, time_ms: int) -> None:
    assert hour_ms(name) == time_ms


def test_only_the_archives_own_files_are_seen_the_oldest_first(tmp_path: Path) -> None:
    mine = [path_of(tmp_path, hour, kind) for hour in ("2026-11-23T14", "2026-11-23T09") for kind in Kind]
    others = ["2026-11-23T14.ndjson.gz.tmp", "notes.ndjson", "2026-11-23T14.ndjson.bak", "2026-11-23.ndjson", "lock"]
    for path in (*mine, *(tmp_path / name for name in others)):
        path.write_bytes(b"x\n")
    found = files_in(tmp_path)
    assert {file.path for file in found} == set(mine)
    assert [file.hour for file in found] == ["2026-11-23T09"] * 3 + ["2026-11-23T14"] * 3
    assert {file.kind for file in found} == set(Kind)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert files_in(tmp_path / "none") == []


def test_links_and_folders_are_not_the_archives_whatever_their_names(tmp_path: Path) -> None:
    victim, mine = tmp_path / "victim", path_of(tmp_path, "2026-11-23T14", Kind.OPEN)
    victim.write_bytes(b"x")
    mine.write_bytes(b"x\n")
    path_of(tmp_path, "2020-01-01T00", Kind.OPEN).symlink_to(victim)
    path_of(tmp_path, "2020-01-01T01", Kind.OPEN).symlink_to(tmp_path / "nowhere")
    path_of(tmp_path, "2020-01-01T02", Kind.COMPRESSED).mkdir()
    assert [file.path for file in files_in(tmp_path)] == [mine]


def test_a_file_may_be_removed_while_the_folder_is_looked_at(tmp_path: Path) -> None:
    paths = [path_of(tmp_path, f"2026-11-{day:02}T{hour:02}", Kind.OPEN) for day in range(1, 31) for hour in range(24)]
    for path in paths:
        path.write_bytes(b"x\n")
    remover = threading.Thread(target=remove, args=(paths,))
    remover.start()
    while remover.is_alive():
        files_in(tmp_path)
    remover.join()
    assert files_in(tmp_path) == []


def remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink()
