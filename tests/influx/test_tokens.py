from pathlib import Path

import pytest

from influx.errors import Refused
from influx.tokens import TokenFolder


def test_a_token_file_holds_the_text_alone_for_its_owner_alone(tmp_path: Path) -> None:
    folder = TokenFolder(tmp_path / "a" / "tokens")
    folder.prepare()
    folder.write("grafana", "first")
    folder.write("grafana", "second==")
    assert [path.name for path in folder.path.iterdir()] == ["grafana.token"]
    assert folder.file("grafana").read_bytes() == b"second=="
    assert oct(folder.file("grafana").stat().st_mode) == oct(0o100600)
    assert oct(folder.path.stat().st_mode) == oct(0o040700)


def test_replacing_a_file_others_can_read_closes_it(tmp_path: Path) -> None:
    folder = TokenFolder(tmp_path)
    folder.file("grafana").touch(mode=0o644)
    folder.write("grafana", "text")
    assert oct(folder.file("grafana").stat().st_mode) == oct(0o100600)


@pytest.mark.parametrize(("held", "text"), [(None, None), (b"", ""), (b" abc==\r\n", "abc=="), (b"\xff", "\ufffd")])
def test_read(tmp_path: Path, held: bytes | None, text: str | None) -> None:
    folder = TokenFolder(tmp_path)
    if held is not None:
        folder.file("ingest").write_bytes(held)
    assert folder.read("ingest") == text


def test_a_folder_that_can_not_be_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="choose --tokens-dir"):
        TokenFolder(tmp_path / "file").prepare()


def test_a_file_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    folder = TokenFolder(tmp_path)
    folder.file("ingest").mkdir()
    with pytest.raises(Refused, match=r"Can't read .*ingest\.token"):
        folder.read("ingest")


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    folder = TokenFolder(tmp_path)
    folder.file("ingest").mkdir()
    with pytest.raises(OSError, match="directory"):
        folder.write("ingest", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["ingest.token"]
