import asyncio
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from ingest.__main__ import main
from ingest.spool.changes import Blob
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.file import FILE_NAME
from ingest.spool.lanes import Lane
from ingest.spool.spool import Spool
from ingest.sqlite import connect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    async def fill() -> None:
        spool = Spool(tmp_path, 10**6)
        await spool.append([Blob(b"m v=x 1\nm v=y 2\n", 2)])
        rows = await spool.backlog.read(Lane(0), 10, 10**6)
        await spool.backlog.remove(
            rows,
            [
                DeadLetter(b"m v=x 1\n", "invalid number", 1_795_000_000_000),
                DeadLetter(b'm v="y\nz" 2', "bad", 1_795_000_000_001),
            ],
        )
        await spool.close()

    asyncio.run(fill())
    return tmp_path


def test_list_shows_line_reason_and_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dead-letters", "list", "--data-dir", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("2026-11-18T11:06:40+00:00  invalid number\n    m v=x 1\n")
    assert main(["dead-letters", "list", "--json", "--data-dir", str(folder)]) == 0
    letters = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert letters == [
        {"id": 1, "time_ms": 1_795_000_000_000, "reason": "invalid number", "line": "m v=x 1"},
        {"id": 2, "time_ms": 1_795_000_000_001, "reason": "bad", "line": 'm v="y\nz" 2'},
    ]


def test_replay_puts_the_lines_back_into_the_spool(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dead-letters", "replay", "--data-dir", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("2 lines")
    with closing(connect(folder / FILE_NAME)) as connection:
        assert connection.execute("SELECT points, lines FROM spool").fetchall() == [(2, b'm v=x 1\nm v="y\nz" 2\n')]
        assert connection.execute("SELECT points, bytes, dead_letters FROM totals").fetchone() == (2, 20, 0)
        assert connection.execute("SELECT count(*) FROM dead_letters").fetchone() == (0,)


def test_replay_makes_rows_as_the_service_does(tmp_path: Path) -> None:
    event = b"events,country=a,region=b,sensor=c,status=processado value=1 1\n"
    letters = [b'm v="%s" %d\n' % (b"x" * 300_000, n) for n in range(40)]

    async def fill() -> None:
        spool = Spool(tmp_path, 10**9)
        await spool.backlog.remove([], [DeadLetter(line, "bad", 1) for line in (*letters, event)])
        await spool.close()

    asyncio.run(fill())
    assert main(["dead-letters", "replay", "--data-dir", str(tmp_path)]) == 0
    with closing(connect(tmp_path / FILE_NAME)) as connection:
        rows = [bytes(lines) for (lines,) in connection.execute("SELECT lines FROM spool ORDER BY id")]
    assert sorted(b"".join(rows).splitlines(keepends=True)) == sorted([*letters, event])
    assert max(map(len, rows)) <= 1_000_000
    assert event in rows


def test_purge_wants_to_be_sure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dead-letters", "purge", "--data-dir", str(folder)]) == 2
    assert "--yes" in capsys.readouterr().err
    assert main(["dead-letters", "purge", "--yes", "--data-dir", str(folder)]) == 0
    assert capsys.readouterr().out == "2 lines are forgotten\n"
    with closing(connect(folder / FILE_NAME)) as connection:
        assert connection.execute("SELECT points, bytes, dead_letters FROM totals").fetchone() == (0, 0, 0)


def test_a_folder_without_a_spool_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dead-letters", "list", "--data-dir", str(tmp_path)]) == 1
    assert "--data-dir" in capsys.readouterr().err


def test_a_line_cannot_write_escapes_to_the_operators_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fill() -> None:
        spool = Spool(tmp_path, 10**6)
        await spool.backlog.remove([], [DeadLetter(b'm v="\x1b]0;pwned\x07\n2"', "bad \x1b[31m", 1_795_000_000_000)])
        await spool.close()

    asyncio.run(fill())
    capsys.readouterr()
    assert main(["dead-letters", "list", "--data-dir", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert shown == '2026-11-18T11:06:40+00:00  bad \\x1b[31m\n    m v="\\x1b]0;pwned\\x07\n    2"\n'


def test_those_of_workers_are_seen_and_replayed_with_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (2, 10):
        shutil.copytree(folder, folder / f"worker-{number}", ignore=shutil.ignore_patterns("worker-*"))
    assert main(["dead-letters", "list", "--json", "--data-dir", str(folder)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert main(["dead-letters", "replay", "--data-dir", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("6 lines")
    with closing(connect(folder / "worker-10" / FILE_NAME)) as connection:
        assert connection.execute("SELECT points FROM spool").fetchall() == [(2,)]
    assert main(["dead-letters", "list", "--data-dir", str(folder)]) == 0
    assert capsys.readouterr().out == ""
