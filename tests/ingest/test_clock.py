"""The service under a clock that jumps: an event is kept, or refused with a reason; nothing is gone, nothing hangs."""

import gzip
import json
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tests.faults.jumping_clock import HOUR_SECONDS, YEAR_SECONDS, JumpingClock
from tests.faults.service import Service, served
from tests.ingest.test_process import options, wait_until_counted

__all__ = ["options"]

DAY_MS = 86_400_000
OLDEST_MS = 631_152_000_000
JUMPS = (10 * YEAR_SECONDS, -HOUR_SECONDS, -20 * YEAR_SECONDS, HOUR_SECONDS, -0.05, 40 * YEAR_SECONDS, 0.0)
REASONS = {"timestamp_future": "in the future", "timestamp_too_old": "too old"}


def archived(folder: Path) -> list[dict[str, Any]]:
    texts = [gzip.decompress(path.read_bytes()) for path in folder.rglob("*.ndjson.gz")]
    texts += [path.read_bytes() for path in folder.rglob("*.ndjson")]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def by_time(events: Sequence[dict[str, Any]]) -> list[tuple[int, str]]:
    return sorted((event["timestamp"], event["valor"]) for event in events)


def post_around(service: Service, clock: JumpingClock, numbers: "count[int]") -> list[dict[str, Any]]:
    """Post events of the right time, of the clock's, of long ago and of beyond its window; those that were kept."""
    right_ms, shown_ms = time.time_ns() // 1_000_000, clock.now_ms
    times_ms = [right_ms, shown_ms, right_ms - 365 * DAY_MS, OLDEST_MS - 1, shown_ms + 2 * DAY_MS]
    events: list[dict[str, Any]] = [
        {"timestamp": time_ms, "tag": "a.b.c", "valor": str(next(numbers))} for time_ms in times_ms
    ]
    _, answer = service.answer("/events", json.dumps(events))
    receipt = json.loads(answer)
    refused = {item["index"]: item for item in receipt["rejected"]}
    for index, event in enumerate(events):
        is_too_late = event["timestamp"] > shown_ms + DAY_MS
        expected = "timestamp_future" if is_too_late else "timestamp_too_old" if event["timestamp"] < OLDEST_MS else ""
        assert (refused[index]["code"] if index in refused else "") == expected, (event, receipt)
        assert not expected or REASONS[expected] in refused[index]["reason"]
    assert receipt["accepted"] == len(events) - len(refused)
    return [event for index, event in enumerate(events) if index not in refused]


def test_a_clock_that_jumps_costs_no_event(tmp_path: Path, options: Sequence[str]) -> None:
    clock, numbers, kept = JumpingClock(tmp_path), count(), list[dict[str, Any]]()
    service_options = [*options, "--archive-dir", str(tmp_path / "files")]
    # Each half of the jumps while it runs; between them it starts under a clock that is wrong already.
    for jumps in (JUMPS[:3], JUMPS[2:]):
        with served(tmp_path / "data", *service_options, **clock.variables) as service:
            for jump in jumps:
                clock.jump(jump)
                kept += post_around(service, clock, numbers)
                assert wait_until_counted(service, len(kept)) == len(kept), f"{jump} s from the right time"
            assert service.stop() == 0
    clock.jump(0.0)
    with served(tmp_path / "data", *service_options, **clock.variables) as service:
        stored = json.loads(service.answer("/get_data?limit=1000")[1])["events"]
        assert by_time(stored) == by_time(kept)
        assert service.stop() == 0
    assert by_time(archived(tmp_path / "files")) == by_time(kept)
