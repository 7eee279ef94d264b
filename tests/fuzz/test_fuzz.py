"""The short form of ``make fuzz``: ten thousand requests that are a little wrong."""

import secrets
import time
from pathlib import Path
from random import Random

from tests.faults.service import served
from tests.fuzz.parsers import fuzz_parsers
from tests.fuzz.run import fuzz

TOKEN = secrets.token_hex(16)


def test_no_request_brings_a_5xx_or_waits_for_ever(tmp_path: Path) -> None:
    seed = Random(time.time_ns()).randrange(10**6)
    with served(tmp_path, INGEST_TOKENS=f"fuzz:all:{TOKEN}") as service:
        outcome = fuzz(service, TOKEN, 10_000, seed)
        assert service.is_alive
    assert not outcome.bad, f"seed {seed}: {outcome.bad[:5]}"
    assert outcome.slowest_seconds < 10, f"seed {seed}"
    assert outcome.statuses[202] + outcome.statuses[204] > 200, outcome.statuses
    assert outcome.statuses[400] > 500, outcome.statuses


def test_no_input_surprises_a_parser() -> None:
    seed = Random(time.time_ns()).randrange(10**6)
    assert fuzz_parsers(50_000, seed) < 1, f"seed {seed}: a parser took so long"
