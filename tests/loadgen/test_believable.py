"""Runs with all the troubles of a profile against the real service: verify is right about every one."""

from pathlib import Path

import pytest

from loadgen.results import read
from tests.loadgen.command import loadgen
from tests.loadgen.ingest_process import stored_rows


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_late_and_repeated_events_are_each_there_once(ingest_url: str, tmp_path: Path, processes: str) -> None:
    results = tmp_path / "run.jsonl"
    code, out, err = await loadgen(
        *("run", "--profile", "farm", "--rate", "20000", "--events", "30000", "--sensors", "40", "--batch", "100"),
        *("--format", "ndjson", "--processes", processes, "--url", ingest_url, "--results", str(results)),
    )
    assert code == 0, out + err
    code, out, err = await loadgen("verify", "--results", str(results))
    assert code == 0, out + err
    stored = len(await stored_rows(ingest_url))
    assert out.startswith(f"verified: {stored:,} of {stored:,} acked events\n"), out
    repeated = 30_000 - stored
    assert f"repeated on purpose: {repeated:,} ({repeated:,} acked again); each counts once" in out
    assert 0.01 < repeated / 30_000 < 0.03, "two of a hundred"
    summary = read(results).summary
    assert summary is not None
    assert summary.acked == 30_000, "the rate counts what was sent, be it twice"
