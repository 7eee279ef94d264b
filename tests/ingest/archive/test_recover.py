import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.archive.recover import cut_torn_line, recover
from tests.ingest.archive.lines import names

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


@given(
    whole=st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b" ") + b"\n"), max_size=5),
    torn=st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" ")),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_what_follows_the_last_newline_is_cut(tmp_path: Path, whole: list[bytes], torn: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"".join([*whole, torn]))
    assert cut_torn_line(file) == len(torn)
    assert file.read_bytes() == b"".join(whole)


@pytest.mark.parametrize("torn", [65_535, 65_536, 65_537, 300_000])
def test_a_torn_line_may_be_long(tmp_path: Path, torn: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"whole\n" + b"x" * torn)
    assert cut_torn_line(file) == torn
    assert file.read_bytes() == b"whole\n"


def test_what_a_killed_process_left_is_put_in_order(tmp_path: Path) -> None:
    for name, text in {
        "2026-11-23T13.sealed.ndjson": b'{"a":1}\n{"b',
        "2026-11-23T14.ndjson": b'{"a":2}\n{"c"',
        "2026-11-23T13.ndjson.gz.tmp": b"half",
        "2026-11-23T12.ndjson.gz": b"complete, and no text",
        "mine.txt": b"not the archive's",
    }.items():
        (tmp_path / name).write_bytes(text)
    recover(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "2026-11-23T13.sealed.ndjson": b'{"a":1}\n',
        "2026-11-23T14.ndjson": b'{"a":2}\n',
        "2026-11-23T12.ndjson.gz": b"complete, and no text",
        "mine.txt": b"not the archive's",
    }


def test_what_is_not_the_archives_stays_as_it_is(tmp_path: Path) -> None:
    folder, victim = tmp_path / "processed", tmp_path / "victim"
    folder.mkdir()
    victim.write_bytes(b"whole\nhalf")
    folder.joinpath("notes.tmp").write_bytes(b"a user's")
    folder.joinpath("x.tmp").mkdir()
    folder.joinpath("2020-01-01T00.ndjson.gz.tmp").mkdir()
    folder.joinpath("2020-01-01T01.ndjson.gz.tmp").symlink_to(victim)
    folder.joinpath("2020-01-01T00.ndjson").symlink_to(victim)
    folder.joinpath("2020-01-01T01.ndjson").symlink_to(tmp_path / "nowhere")
    before = names(tmp_path)
    recover(folder)
    assert names(tmp_path) == before
    assert victim.read_bytes() == b"whole\nhalf"


def test_a_file_that_gives_trouble_keeps_the_others_from_nothing(tmp_path: Path) -> None:
    bad, good = tmp_path / "2020-01-01T00.ndjson", tmp_path / "2020-01-01T01.ndjson"
    for path in (bad, good):
        path.write_bytes(b"whole\nhalf")
    bad.chmod(0)
    program = (
        "import sys; from pathlib import Path; from ingest.archive.recover import recover; recover(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(command, preexec_fn=obey_permissions, capture_output=True, text=True, check=False)
    bad.chmod(0o600)
    assert ended.returncode == 0, ended
    assert "archive_not_recovered" in ended.stdout, ended
    assert (bad.read_bytes(), good.read_bytes()) == (b"whole\nhalf", b"whole\n")


def obey_permissions() -> None:
    """Of root, too, a file's mode is obeyed by the program that is run next; of others it always is."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
