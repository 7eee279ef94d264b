import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from ingest.archive.compress import Stopped, compress
from ingest.archive.names import ArchiveFile, Kind, files_in
from ingest.archive.recover import recover
from tests.ingest.archive.lines import files_no_longer_than, texts

HOUR = "2026-11-23T14"


def sealed(folder: Path, text: bytes) -> ArchiveFile:
    folder.joinpath(f"{HOUR}.sealed.ndjson").write_bytes(text)
    return next(file for file in files_in(folder) if file.kind is Kind.SEALED)


def test_an_hour_becomes_a_file_that_zcat_reads(tmp_path: Path) -> None:
    text = b"".join(b'{"timestamp":%d}\n' % number for number in range(100_000))
    path = compress(sealed(tmp_path, text), lambda: False)
    assert [file.name for file in tmp_path.iterdir()] == [f"{HOUR}.ndjson.gz"]
    assert subprocess.run(["zcat", path], capture_output=True, check=True).stdout == text


def test_an_hour_that_comes_again_adds_a_member(tmp_path: Path) -> None:
    for text in (b"1\n", b"2\n", b"3\n"):
        path = compress(sealed(tmp_path, text), lambda: False)
    assert subprocess.run(["zcat", path], capture_output=True, check=True).stdout == b"1\n2\n3\n"


def test_after_a_kill_before_the_plain_file_was_removed_nothing_is_there_twice(tmp_path: Path) -> None:
    first = compress(sealed(tmp_path, b"1\n"), lambda: False).read_bytes()
    sealed(tmp_path, b"1\n")
    path = compress(sealed(tmp_path, b"1\n"), lambda: False)
    assert path.read_bytes() == first
    assert not list(tmp_path.glob("*.sealed*"))


def test_a_stop_in_the_middle_leaves_the_plain_file(tmp_path: Path) -> None:
    file = sealed(tmp_path, b"x" * 5_000_000 + b"\n")
    chunks = iter([False, True])
    with pytest.raises(Stopped):
        compress(file, lambda: next(chunks))
    assert [path.name for path in tmp_path.iterdir()] == [file.path.name]


def test_a_full_disk_leaves_the_plain_file_and_what_was_complete(tmp_path: Path) -> None:
    whole = compress(sealed(tmp_path, b"1\n"), lambda: False).read_bytes()
    file = sealed(tmp_path, os.urandom(200_000) + b"\n")
    with files_no_longer_than(len(whole) + 1000), pytest.raises(OSError, match="File too large"):
        compress(file, lambda: False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{HOUR}.ndjson.gz", file.path.name]
    assert tmp_path.joinpath(f"{HOUR}.ndjson.gz").read_bytes() == whole


def test_memory_does_not_grow_with_the_hour(tmp_path: Path) -> None:
    file = sealed(tmp_path, b'{"timestamp":1539112021301,"tag":"a.b.c","valor":"1"}\n' * 1_000_000)
    tracemalloc.start()
    compress(file, lambda: False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * 2**20, f"{most} bytes for a file of {file.bytes}"


def test_killed_at_any_moment_an_hour_is_whole_in_one_file_or_the_other(tmp_path: Path) -> None:
    text = b"".join(b'{"timestamp":%d,"valor":"%x"}\n' % (number, number**5) for number in range(100_000))
    earlier = b'{"timestamp":0}\n'
    program = (
        "import sys; from pathlib import Path; from ingest.archive.names import files_in;"
        "from ingest.archive.compress import compress; print(flush=True);"
        "compress([f for f in files_in(Path(sys.argv[1])) if 'sealed' in f.path.name][0], lambda: False)"
    )
    unfinished = 0
    for number in range(6):
        folder = tmp_path / str(number)
        folder.joinpath("processed").mkdir(parents=True)
        compress(sealed(folder / "processed", earlier), lambda: False)
        sealed(folder / "processed", text)
        process = subprocess.Popen([sys.executable, "-c", program, folder / "processed"], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.02 * number)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        unfinished += len(list(folder.glob("*/*.tmp")))
        lines = set(texts(folder))
        assert lines == set((earlier + text).splitlines()), "before anything was put in order"
        recover(folder / "processed")
        for file in files_in(folder / "processed"):
            if file.kind is Kind.SEALED:
                compress(file, lambda: False)
        assert [path.name for path in folder.glob("*/*")] == [f"{HOUR}.ndjson.gz"]
        assert gzip.decompress(next(folder.glob("*/*")).read_bytes()) == earlier + text
        shutil.rmtree(folder)
    assert unfinished, "no kill came in the middle of a compression"


@pytest.mark.parametrize("name", [f"{HOUR}.ndjson.gz", f"{HOUR}.ndjson.gz.tmp"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_in_the_way_is_left_alone_and_the_hour_stays_plain(tmp_path: Path, name: str, exists: bool) -> None:
    victim, link = tmp_path / "victim", tmp_path / name
    if exists:
        victim.write_bytes(b"a user's, and longer than eight bytes")
    link.symlink_to(victim)
    file = sealed(tmp_path, b"1\n")
    with pytest.raises(OSError, match="move it"):
        compress(file, lambda: False)
    assert link.is_symlink()
    assert victim.exists() == exists
    assert not exists or victim.read_bytes() == b"a user's, and longer than eight bytes"
    assert file.path.read_bytes() == b"1\n"
