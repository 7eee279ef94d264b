"""A difference is claimed where the runs show it throughout, and nowhere else."""

from pathlib import Path
from random import Random
from typing import Any

from loadgen.report.comparison import PARTS, Difference, Judgement, compare
from tests.loadgen.report.recorded import recorded

SECONDS = 16


def noisy(seed: int, mean_ms: float = 10, spread_ms: float = 3) -> list[list[float]]:
    random = Random(seed)
    return [[random.uniform(mean_ms - spread_ms, mean_ms + spread_ms) for _ in range(5)] for _ in range(SECONDS)]


def differences(folder: Path, base: list[list[float]], other: list[list[float]], **more: Any) -> dict[str, Difference]:
    runs = [recorded(folder / "base.jsonl", base), recorded(folder / "other.jsonl", other, **more)]
    (comparison,) = compare(runs)
    return {difference.metric: difference for difference in comparison.differences}


def test_slower_throughout_is_worse_and_faster_is_better(tmp_path: Path) -> None:
    found = differences(tmp_path, noisy(1), noisy(2, mean_ms=20))["p50"]
    assert (found.judgement, found.parts) == (Judgement.WORSE, PARTS), found
    assert found.ratio is not None
    assert 1.7 < found.ratio < 2.3
    assert differences(tmp_path, noisy(2, mean_ms=20), noisy(1))["p50"].judgement is Judgement.BETTER


def test_noise_is_claimed_about_as_rarely_as_said(tmp_path: Path) -> None:
    """Runs of one and the same kind: chance makes one in 128 differ in all parts."""
    pairs = 64
    claimed = [
        seed
        for seed in range(pairs)
        if differences(tmp_path, noisy(seed), noisy(seed + pairs))["p50"].judgement
        in (Judgement.BETTER, Judgement.WORSE)
    ]
    assert len(claimed) <= 3, f"of {pairs} comparisons of equals, these were claimed to differ: {claimed}"


def test_one_bad_moment_is_unclear(tmp_path: Path) -> None:
    stalled = noisy(2)
    stalled[3] = [5000.0] * 5
    found = differences(tmp_path, noisy(1), stalled)["p99"]
    assert found.judgement is Judgement.UNCLEAR, found
    assert found.parts is not None
    assert found.parts < PARTS


def test_within_a_percent_is_the_same(tmp_path: Path) -> None:
    alike = [[10.05] * 5] * SECONDS
    assert differences(tmp_path, [[10.0] * 5] * SECONDS, alike)["p50"].judgement is Judgement.SAME


def test_too_short_to_be_cut_is_too_short_to_tell(tmp_path: Path) -> None:
    found = differences(tmp_path, noisy(1)[: PARTS - 1], noisy(2, mean_ms=20))["p50"]
    assert (found.judgement, found.parts) == (Judgement.TOO_SHORT, None), found


def test_a_higher_rate_is_better_only_if_it_was_not_planned(tmp_path: Path) -> None:
    more = [[*second, 10.0, 10.0] for second in noisy(2)]
    assert differences(tmp_path, noisy(1), more)["rate"].judgement is Judgement.BETTER
    assert differences(tmp_path, noisy(1), more, rate=7.0)["rate"].judgement is Judgement.NONE


def test_counts_differ_without_a_judgement(tmp_path: Path) -> None:
    failed = differences(tmp_path, noisy(1), noisy(2), failed={2: "HTTP 500"})["failed"]
    assert (failed.difference, failed.ratio, failed.judgement) == (1, None, Judgement.NONE)


def test_what_one_run_does_not_know_is_not_compared(tmp_path: Path) -> None:
    found = differences(tmp_path, noisy(1), noisy(2), finished=False)
    assert found["p99"] == Difference("p99", found["p99"].base, None, None, None)
    assert found["max"].difference is not None
