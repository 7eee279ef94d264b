"""A million made-up sensors against a real process: known ones go on, memory stays flat, and each answer says why."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ingest.series import kept
from ingest.spool.file import FILE_NAME
from ingest.sqlite import connect
from tests.faults.service import Service, influx_options, served
from tests.ingest.test_process import START_MS, options, wait_until_counted
from tools.influx_server import InfluxServer

__all__ = ["options"]

MOST = 2_000
A_BATCH = 5_000
MOST_ANSWER_BYTES = 300_000
MOST_GROWTH_KIB = 40 * 1024


def post(service: Service, ndjson: str) -> tuple[int, bytes]:
    return service.answer("/events", ndjson, "application/x-ndjson")


def events(tags: Sequence[str], valor: int = 1) -> str:
    return "".join(f'{{"timestamp":{START_MS},"tag":"{tag}","valor":"{valor}"}}\n' for tag in tags)


def resident_kib(service: Service) -> int:
    status = Path(f"/proc/{service.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])


def bombs(batches: int) -> Iterator[str]:
    for batch in range(batches):
        yield events([f"made.up.s{number}" for number in range(batch * A_BATCH, (batch + 1) * A_BATCH)])


def wait_until_learned(folder: Path) -> None:
    """Return when ingest has asked InfluxDB which series there are; until then new ones come at any rate."""
    deadline = time.monotonic() + 20
    with closing(connect(folder / FILE_NAME)) as connection:
        while not kept.is_learned(connection):
            assert time.monotonic() < deadline, "nothing was learned"
            time.sleep(0.02)


def test_a_bomb_of_a_million_sensors(tmp_path: Path, options: Sequence[str]) -> None:
    known = [f"brasil.sul.s{number}" for number in range(100)]
    # A million once; the decoder is the same in front of InfluxDB.
    batches = 40 if options else 200
    with served(tmp_path, *options, "--max-series", str(MOST)) as service:
        assert post(service, events(known))[0] == 202
        before_kib = 0
        for number, bomb in enumerate(bombs(batches)):
            status, answer = post(service, bomb)
            receipt = json.loads(answer)
            assert len(answer) < MOST_ANSWER_BYTES
            refused = len(receipt["rejected"]) + receipt.get("not_listed", 0)
            taken = 0 if number else MOST - 100
            assert (receipt["accepted"], refused) == (taken, A_BATCH - taken)
            assert status == (400 if number else 202)
            assert {item["code"] for item in receipt["rejected"]} == {"series_limit"}
            assert "--max-series" in receipt["rejected"][0]["reason"]
            if number % 20 == 10:
                before_kib = before_kib or resident_kib(service)
                answered = post(service, events(known, number))
                assert answered == (202, b'{"accepted":100,"rejected":[]}\n'), "known sensors go on"
        assert resident_kib(service) - before_kib < MOST_GROWTH_KIB
        assert service.metric("ingest_series") == MOST
        refused = service.metric('ingest_events_rejected_total{reason="series_limit"}')
        assert refused == A_BATCH * batches - (MOST - 100)
        ready = json.loads(service.answer("/ready")[1])
        assert any("max_series" in warning for warning in ready["warnings"])
        stored = MOST + 100 * batches // 20
        assert wait_until_counted(service, stored) == stored
        assert len([entry for entry in service.log if entry["event"] == "series_refused"]) <= 3, "it fills no log"


def test_known_sensors_are_known_after_a_restart(tmp_path: Path, options: Sequence[str]) -> None:
    limits = ["--max-series", "10", "--max-new-series-a-minute", "5"]
    first = [f"a.b.{number}" for number in range(7)]
    with served(tmp_path, *options, *limits) as service:
        if options:
            wait_until_learned(tmp_path)
        receipt = json.loads(post(service, events(first))[1])
        assert (receipt["accepted"], [item["code"] for item in receipt["rejected"]]) == (5, ["series_rate"] * 2)
        service.kill()
    with served(tmp_path, *options, *limits) as service:
        assert service.metric("ingest_series") == 5
        again = json.loads(post(service, events([*first[:5], *"xyzuvw"], 2))[1])
        assert again["accepted"] == 5, again
        new = json.loads(post(service, events([f"a.b.n{i}" for i in range(9)]))[1])
        assert (new["accepted"], {item["code"] for item in new["rejected"]}) == (5, {"series_limit"})


def test_a_bomb_of_another_measurement_is_no_way_around(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGEST_INFLUX_TOKEN", influx_server.token)
    with served(tmp_path, *influx_options(influx_server, influx_bucket), "--max-series", "50") as service:
        lines = "".join(f"m,host=h{number} v=1 {START_MS}000000\n" for number in range(60))
        status, answer = service.answer("/api/v2/write", lines, "text/plain")
        assert status == 400
        assert b"--max-series" in answer
        assert b"dropped=11" in answer, "the name of the field takes a place, too"
        assert (
            service.answer(
                "/api/v2/write", f"m,host=h7 v=2 {START_MS}000001\nm,host=h8 v=2 {START_MS}000001\n", "text/plain"
            )[0]
            == 204
        )
        assert post(service, events(["a.b.c"]))[0] == 400
        assert service.metric("ingest_series") == 50
