"""Lines of ever new weeks and ever new fields against a real process and a real InfluxDB."""

import json
import time
from pathlib import Path

import pytest

from ingest.series.weeks import WEEK_MS
from tests.faults.service import Service, influx_options, served
from tests.ingest.series.test_tag_bomb import events, post
from tests.ingest.test_process import wait_until_counted
from tools.influx_server import InfluxServer

NOW_MS = time.time_ns() // 1_000_000
WEEKS = 6


@pytest.fixture
def limits(influx_server: InfluxServer, influx_bucket: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("INGEST_INFLUX_TOKEN", influx_server.token)
    return [*influx_options(influx_server, influx_bucket), "--max-weeks", str(WEEKS), "--max-series", "50"]


def write(service: Service, lines: str) -> tuple[int, bytes]:
    return service.answer("/api/v2/write?precision=ms", lines, "text/plain")


def event(weeks_ago: int) -> str:
    return json.dumps({"timestamp": NOW_MS - weeks_ago * WEEK_MS, "tag": "a.b.c", "valor": "1"}) + "\n"


def test_lines_and_events_of_ever_new_weeks_are_refused_and_known_ones_go_on(tmp_path: Path, limits: list[str]) -> None:
    lines = "".join(f"m v=1 {NOW_MS - (number + 10) * WEEK_MS}\n" for number in range(300))
    with served(tmp_path, *limits) as service:
        status, answer = write(service, lines)
        assert (status, b"dropped=294" in answer, b"--max-weeks" in answer) == (400, True, True), answer
        status, answer = post(service, event(0) + event(10) + event(200))
        assert [item["code"] for item in json.loads(answer)["rejected"]] == ["week_limit"]
        assert service.metric("ingest_weeks") == WEEKS + 1, "the present one is beside them"
        assert any("max_weeks" in warning for warning in json.loads(service.answer("/ready")[1])["warnings"])
        service.kill()
    with served(tmp_path, *limits) as service:
        assert service.metric("ingest_weeks") == WEEKS + 1
        known, new = "".join(lines.splitlines(keepends=True)[:WEEKS]), f"m v=1 {NOW_MS - 300 * WEEK_MS}\n"
        assert (write(service, known)[0], write(service, new)[0]) == (204, 400)
        assert json.loads(post(service, event(0) + event(12) + event(200))[1])["accepted"] == 2
        assert wait_until_counted(service, 3) == 3


@pytest.mark.parametrize(
    ("time_ms", "code"),
    [(0, "timestamp_too_old"), (-5, "timestamp_too_old"), (NOW_MS + 2 * WEEK_MS, "timestamp_future")],
)
def test_the_window_of_events_is_that_of_all_lines(tmp_path: Path, limits: list[str], time_ms: int, code: str) -> None:
    with served(tmp_path, *limits) as service:
        assert write(service, f"m v=1 {time_ms}\n")[0] == 400
        assert service.metric(f'ingest_events_rejected_total{{reason="{code}"}}') == 1


def test_ever_new_fields_count_as_series_do_also_after_a_restart(tmp_path: Path, limits: list[str]) -> None:
    lines = "".join(f"m f{number}=1,g\\ {number}=2 {NOW_MS}\n" for number in range(40))
    with served(tmp_path, *limits) as service:
        status, answer = write(service, lines)
        assert (status, b"dropped=16" in answer, b"--max-series" in answer) == (400, True, True), answer
        assert service.metric("ingest_series") == 50, "the series, and two fields of each of 24 lines; one of the next"
        service.kill()
    with served(tmp_path, *limits) as service:
        # The field of the line that was refused takes no place.
        assert service.metric("ingest_series") == 49
        assert write(service, "".join(lines.splitlines(keepends=True)[:24]))[0] == 204
        assert post(service, events(["a.b.c"]))[0] == 202, "there is room for one more"
        assert write(service, f"m new=1 {NOW_MS}\n")[0] == 400
