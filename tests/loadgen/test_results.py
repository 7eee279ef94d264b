"""The results file survives what happens to files."""

import resource
from pathlib import Path

import msgspec
import pytest

from loadgen.latency import Latencies
from loadgen.plan import Plan
from loadgen.results import ResultsWriter, Started, Summary, UnreadableError, read
from loadgen.sensors import EVENTS_VERSION
from loadgen.tally import Tally
from loadgen.verdict import ALL_ACKED
from loadgen.verify import OtherEventsError, verify
from tests.loadgen.command import loadgen
from tests.loadgen.service import Service, shown

CASES = Path(__file__).parent / "cases"

PLAN = Plan(url="http://127.0.0.1:5000", start_ms=1, batch=2, events=8)


def written(path: Path) -> Summary:
    tally = Tally()
    with ResultsWriter(path) as writer:
        writer.write(Started(PLAN))
        for request in (0, 1, 3):
            tally.send(2, 0)
            tally.answer(request, request * 2, 2, ALL_ACKED, 1000)
            writer.write(tally.close_second(request + 1))
        writer.write(summary := tally.summary(3.0, interrupted=False))
    return summary


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    summary = written(path)
    record = read(path)
    assert record.plan == PLAN
    assert record.answered.spans == [(0, 1), (3, 3)]
    assert (record.requests, record.finished) == (4, True)
    assert msgspec.json.decode(path.read_bytes().splitlines()[-1], type=Summary) == summary


def test_the_lines_are_plain_json_that_names_itself(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    written(path)
    kinds = [msgspec.json.decode(line)["line"] for line in path.read_bytes().splitlines()]
    assert kinds == ["plan", "second", "second", "second", "summary"]


def test_lines_are_on_disk_before_the_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with ResultsWriter(path) as writer:
        writer.write(Started(PLAN))
        assert read(path).plan == PLAN


def test_any_torn_end_leaves_the_lines_before_it(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    written(path)
    whole = path.read_bytes()
    *_, last_second, _summary = whole.splitlines(keepends=True)
    for cut in range(1, len(_summary) + len(last_second)):
        path.write_bytes(whole[:-cut])
        record = read(path)
        assert not record.finished
        assert record.answered.spans[0] == (0, 1)


@pytest.mark.parametrize(
    ("lost", "complaint"),
    [
        ([1], "where second 0 should be there is second 1"),
        ([2], "where second 1 should be there is second 2"),
        ([3], "its summary says 6 acked, its seconds add up to 4"),
        ([1, 2, 3], "its summary says 6 acked, its seconds add up to 0"),
        ([1, 4], "where second 0 should be there is second 1"),
    ],
)
def test_lines_that_are_lost_from_the_middle_are_missed(tmp_path: Path, lost: list[int], complaint: str) -> None:
    path = tmp_path / "run.jsonl"
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for place, line in enumerate(lines) if place not in lost))
    with pytest.raises(UnreadableError, match=f"{path} is damaged: {complaint}"):
        read(path)


def test_two_files_in_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    written(path)
    path.write_bytes(2 * path.read_bytes())
    with pytest.raises(UnreadableError, match="where second 3 should be there is second 0"):
        read(path)


async def test_verify_of_a_damaged_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    code, out, err = await loadgen("verify", "--results", str(path))
    assert (code, out) == (2, "")
    assert err.startswith(f"loadgen verify: {path} is damaged: where second 1 should be"), err


def test_a_line_for_which_there_is_no_room_is_an_error_at_once(tmp_path: Path) -> None:
    """A write that crosses the limit is cut short without an error, as on a disk that fills up."""
    path = tmp_path / "run.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with ResultsWriter(path) as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large") as raised:
                writer.write(Started(PLAN))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert raised.value.filename == str(path)
    assert path.stat().st_size == 50


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "its first line is not a plan"),
        (b"hello\nworld\n", "is no results file"),
        (b'{"line":"plan","plan":{}}\n', "is no results file"),
        (b"[1]\n", "is no results file"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=complaint):
        read(path)


def test_a_run_is_read_whole_with_its_latencies(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    summary = written(path)
    record = read(path)
    assert [second.second for second in record.seconds] == [0, 1, 2]
    assert record.summary == summary
    assert Latencies.decode(summary.histogram).count == 3


def test_a_file_from_before_histograms_were_kept_is_read() -> None:
    record = read(CASES / "before_histograms.jsonl")
    assert (record.finished, record.answered.spans) == (True, [(0, 49)])
    assert record.summary is not None
    assert (record.summary.acked, record.summary.histogram) == (50, "")


async def test_a_file_from_before_histograms_were_kept_is_verified(service: Service) -> None:
    """The events that were sent then are made again from the plan of then."""
    events = (CASES / "before_histograms.events.ndjson").read_text().splitlines()
    service.rows = [shown(msgspec.json.decode(event)) for event in events]
    findings = await verify(read(CASES / "before_histograms.jsonl"), service.url, wait_seconds=0)
    assert findings.good, findings
    assert findings.verified == 50


async def test_a_run_whose_events_can_not_be_made_again_is_not_called_altered(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with ResultsWriter(path) as writer:
        writer.write(Started(PLAN, EVENTS_VERSION + 1))
    with pytest.raises(OtherEventsError, match="another version of loadgen made this run's events"):
        await verify(read(path), service.url, wait_seconds=0)


def test_no_file_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="No such file"):
        read(tmp_path / "none")
