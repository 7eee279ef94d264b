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


@pytest.mark.parametrize("depth", [2000, 100_000])
def test_a_deeply_nested_line_is_bad_and_hides_none_of_the_next(tmp_path: Path, depth: int) -> None:
    file = tmp_path / "events.ndjson"
    nested = b'{"timestamp":2,"tag":"a.b.c","valor":"1","x":' + b"[" * depth + b"]" * depth + b"}\n"
    file.write_bytes(encoded(1) + nested + encoded(3))
    problems = Problems()
    assert [line.timestamp for line in read(file, problems, note)] == [1, 3]
    assert list(problems.named()) == [f"{file}:2: bad: nested too deeply"]


@pytest.mark.parametrize("timestamp", [10**19, -(10**19), 10**400], ids=["far", "long ago", "endless"])
def test_a_time_that_can_not_be_reckoned_with_is_bad(tmp_path: Path, timestamp: int) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(b'{"timestamp":%d,"tag":"a.b.c","valor":"1"}\n' % timestamp + encoded(3))
    problems = Problems()
    assert [line.timestamp for line in read(file, problems, note)] == [3]
    assert problems.bad == 1


SURROGATES = (
    b'{"timestamp":1700000000000,"tag":"a.b.c","valor":"1","x":"\\ud800"}\n',
    b'{"timestamp":1700000000000,"tag":"a.b.c","valor":"1","\\ud800":1}\n',
    b'{"\\udfff":[{"timestamp":1}],"time\\u0073tamp":1700000000000,"tag":"a.b.c","valor":1.50}\n',
)


@pytest.mark.parametrize("raw", SURROGATES)
def test_lone_surrogates_that_ingest_takes_go_as_they_stand(tmp_path: Path, raw: bytes) -> None:
    """Where ingest does not use them; where it does, it is for ingest to say so."""
    file = tmp_path / "events.ndjson"
    file.write_bytes(raw)
    problems = Problems()
    assert [(line.raw, line.timestamp) for line in read(file, problems, note)] == [(raw, 1_700_000_000_000)]
    assert not problems.any


@pytest.mark.parametrize("name", ["events.ndjson", "events.ndjson.gz"])
def test_a_byte_order_mark_at_the_start_of_a_file_is_no_part_of_its_first_line(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    content = b"\xef\xbb\xbf" + encoded(1) + encoded(2)
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    problems = Problems()
    assert [line.raw for line in read(file, problems, note)] == [encoded(1), encoded(2)]
    assert not problems.any


def test_a_packed_file_of_no_bytes_is_broken_and_one_of_no_lines_is_not(tmp_path: Path) -> None:
    problems = Problems()
    (tmp_path / "lost.ndjson.gz").touch()
    (tmp_path / "quiet.ndjson.gz").write_bytes(gzip.compress(b""))
    for name in ("lost.ndjson.gz", "quiet.ndjson.gz"):
        assert list(read(tmp_path / name, problems, note)) == []
    assert list(problems.named()) == [f"{tmp_path / 'lost.ndjson.gz'}: it is empty, which no .gz file is"]
    assert problems.any


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


valores = (
    st.text(max_size=20) | st.just('"timestamp": 5') | st.floats(allow_nan=False, allow_infinity=False) | st.none()
)


@given(stamps=st.lists(st.integers(0, 2**41), min_size=1, max_size=10), now_ms=st.integers(0, 2**41), valor=valores)
def test_shifting_changes_nothing_but_the_time(stamps: list[int], now_ms: int, valor: object) -> None:
    rows = [{"tag": "a.b.c", "valor": valor, "timestamp": stamp} for stamp in stamps]
    lines = [Line(msgspec.json.encode(row) + b"\n", row["timestamp"], Path("f"), 1) for row in rows]  # type: ignore[arg-type]
    moved = list(shifted(iter(lines), lambda: now_ms))
    decoded = [msgspec.json.decode(line.raw) for line in moved]
    assert [row["timestamp"] for row in decoded] == [now_ms + stamp - stamps[0] for stamp in stamps]
    assert [row["timestamp"] for row in decoded] == [line.timestamp for line in moved]
    assert [(row["tag"], row["valor"]) for row in decoded] == [("a.b.c", valor)] * len(stamps)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"time\\u0073tamp":7,"valor":"1"}\n', b'{"time\\u0073tamp":100,"valor":"1"}\n'),
        (b'{"site":{"timestamp":7},"timestamp" : 7}\n', b'{"site":{"timestamp":7},"timestamp" : 100}\n'),
        (b'{"site":{"timestamp":7},"time\\u0073tamp":7}\n', b'{"site":{"timestamp":7},"time\\u0073tamp":100}\n'),
        (b'{"valor":1.50,"x":"\\ud800","timestamp":7}\n', b'{"valor":1.50,"x":"\\ud800","timestamp":100}\n'),
        (b'{"timestamp":7,"timestamp":7}\n', b'{"timestamp":100,"timestamp":100}\n'),
        (b'{"x":"\\"timestamp\\":7 \\\\","timestamp":7}', b'{"x":"\\"timestamp\\":7 \\\\","timestamp":100}'),
        (b'{"x":"\xff","\xff":7,"timestamp":7}\n', b'{"x":"\xff","\xff":7,"timestamp":100}\n'),
    ],
)
def test_however_a_timestamp_is_spelled_it_alone_is_shifted(raw: bytes, expected: bytes) -> None:
    (moved,) = shifted(iter([Line(raw, 7, Path("f"), 1)]), lambda: 100)
    assert moved.raw == expected
