import os
import tempfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from influx.errors import Refused
from influx.tokens import TokenFolder
from tests.other_user import other_user


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


def test_a_token_file_for_a_group_is_for_its_members_to_read(tmp_path: Path) -> None:
    folder = TokenFolder(tmp_path)
    folder.write("grafana", "text", os.getgid())
    folder.write("ingest", "text")
    status = folder.file("grafana").stat()
    assert (oct(status.st_mode), status.st_gid) == (oct(0o100640), os.getgid())
    assert (folder.group("grafana"), folder.group("ingest")) == (os.getgid(), None)


def test_a_group_that_no_file_can_be_given_to_is_refused_before_a_token_is_made() -> None:
    not_ours = 54_321
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        with (
            other_user(65_534, 65_534) if os.geteuid() == 0 else nullcontext(),
            pytest.raises(Refused, match=f"Can't give a file to group {not_ours} .*: run as a member of it"),
        ):
            TokenFolder(Path(folder)).prepare([None, not_ours])
        assert not list(Path(folder).iterdir())


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
