"""Reading recordings: in order, whole, and with other times if asked to."""

import gzip
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.replay.files import NoFilesError, groups
from loadgen.replay.lines import LONGEST_LINE_BYTES, Line, read
from loadgen.replay.problems import NAMED, Problems
from loadgen.replay.recording import Recording, shifted

times = st.lists(st.integers(0, 50), max_size=20)


def note(_file: Path, _position: int) -> None:
    """Nobody wants to know."""


def encoded(timestamp: int) -> bytes:
    return msgspec.json.encode({"timestamp": timestamp, "tag": "a.b.c", "valor": "1"}) + b"\n"


@given(processed=times, error=times)
def test_files_in_order_are_merged_in_order(
    tmp_path_factory: pytest.TempPathFactory, processed: list[int], error: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    for name, stamps in (("processed", processed), ("error", error)):
        (folder / name).mkdir()
        content = b"".join(map(encoded, sorted(stamps)))
        (folder / name / "2026-11-23T14.ndjson.gz").write_bytes(gzip.compress(content, 1))
    problems = Problems()
    found = [line.timestamp for line in Recording(groups([folder]), problems).lines()]
    assert found == sorted(processed + error)
    assert not problems.any


def test_hours_follow_one_another_and_all_files_of_an_hour_belong_together(tmp_path: Path) -> None:
    names = (
        "processed/2026-11-23T14.ndjson.gz",
        "processed/2026-11-23T14.sealed.ndjson",
        "processed/2026-11-23T14.ndjson",
        "error/2026-11-23T14.ndjson.gz",
        "error/2026-11-23T15.ndjson",
        "processed/2026-11-23T15.ndjson.gz.tmp",
        "notes.txt",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [[str(path.relative_to(tmp_path)) for path in group] for group in groups([tmp_path])]
    assert [sorted(group) for group in found] == [sorted(names[:4]), [names[4]]]


def test_a_missing_path_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoFilesError, match="none does not exist"):
        groups([tmp_path / "none"])
    with pytest.raises(NoFilesError, match="holds no "):
        groups([tmp_path])


def test_a_line_without_end_takes_no_memory_and_hides_none_of_the_next(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(encoded(1) + b"x" * (2 * LONGEST_LINE_BYTES + 5) + b"\n" + encoded(2))
    problems = Problems()
    lines = list(read(file, problems, note))
    assert [(line.timestamp, line.number) for line in lines] == [(1, 1), (2, 3)]
    assert list(problems.named()) == [f"{file}:2: bad: it has 16,777,216 bytes or more"]


def test_a_file_that_is_gone_is_a_problem_of_its_own(tmp_path: Path) -> None:
    problems = Problems()
    assert list(read(tmp_path / "gone.ndjson", problems, note)) == []
    assert list(problems.named()) == [f"{tmp_path / 'gone.ndjson'}: No such file or directory"]
    assert problems.any


def test_only_the_first_problems_are_named() -> None:
    problems = Problems()
    for number in range(NAMED + 5):
        problems.bad_line(Path("a"), number, "ugly")
    assert list(problems.named())[-1] == "… and 5 more"


valores = st.text(max_size=20) | st.just('"timestamp": 5') | st.floats(allow_nan=False) | st.none()


@given(stamps=st.lists(st.integers(0, 2**41), min_size=1, max_size=10), now_ms=st.integers(0, 2**41), valor=valores)
def test_shifting_changes_nothing_but_the_time(stamps: list[int], now_ms: int, valor: object) -> None:
    rows = [{"tag": "a.b.c", "valor": valor, "timestamp": stamp} for stamp in stamps]
    lines = [Line(msgspec.json.encode(row) + b"\n", row["timestamp"], Path("f"), 1) for row in rows]  # type: ignore[arg-type]
    moved = list(shifted(iter(lines), lambda: now_ms))
    decoded = [msgspec.json.decode(line.raw) for line in moved]
    assert [row["timestamp"] for row in decoded] == [now_ms + stamp - stamps[0] for stamp in stamps]
    assert [row["timestamp"] for row in decoded] == [line.timestamp for line in moved]
    assert [(row["tag"], row["valor"]) for row in decoded] == [("a.b.c", valor)] * len(stamps)


def test_a_timestamp_spelled_with_escapes_is_shifted_too() -> None:
    line = Line(b'{"time\\u0073tamp":7,"tag":"a.b.c","valor":"1"}\n', 7, Path("f"), 1)
    (moved,) = shifted(iter([line]), lambda: 100)
    assert msgspec.json.decode(moved.raw) == {"timestamp": 100, "tag": "a.b.c", "valor": "1"}
