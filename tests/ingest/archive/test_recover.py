from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.archive.recover import cut_torn_line, recover


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
