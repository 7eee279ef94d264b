"""The short form of ``make fuzz``: ten thousand requests that are a little wrong."""

import re
import secrets
import time
from pathlib import Path
from random import Random
from urllib.request import Request, urlopen

from tests.faults.service import served
from tests.fuzz.parsers import fuzz_parsers
from tests.fuzz.run import fuzz

TOKEN = secrets.token_hex(16)


def test_no_request_brings_a_5xx_or_waits_for_ever(tmp_path: Path) -> None:
    seed = Random(time.time_ns()).randrange(10**6)
    with served(tmp_path, INGEST_TOKENS=f"fuzz:all:{TOKEN}") as service:
        outcome = fuzz(service, TOKEN, 10_000, seed)
        assert service.is_alive
        series = label_values(service.url)
    assert not outcome.bad, f"seed {seed}: {outcome.bad[:5]}"
    assert outcome.slowest_seconds < 10, f"seed {seed}"
    assert outcome.statuses[202] + outcome.statuses[204] > 200, outcome.statuses
    assert outcome.statuses[400] > 500, outcome.statuses
    # Nothing that a client makes up is a label: it would be kept for ever.
    assert all(len(values) < 60 for values in series.values()), f"seed {seed}: {series}"


def label_values(url: str) -> dict[str, set[str]]:
    """The values of each label in ``/metrics``."""
    request = Request(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urlopen(request, timeout=20) as answer:
        found = re.findall(r'[{,](\w+)="((?:[^"\\]|\\.)*)"', answer.read().decode())
    values: dict[str, set[str]] = {}
    for name, value in found:
        values.setdefault(name, set()).add(value)
    return values


def test_no_input_surprises_a_parser() -> None:
    seed = Random(time.time_ns()).randrange(10**6)
    assert fuzz_parsers(50_000, seed) < 1, f"seed {seed}: a parser took so long"
