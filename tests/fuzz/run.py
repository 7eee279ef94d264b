"""Fuzzed requests to a real service, and what it made of them: every answer, the slowest one, its memory."""

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import psutil

from tests.faults.service import Service
from tests.fuzz.mutation import mutate, mutate_request
from tests.fuzz.requests import Request, corpus
from tests.fuzz.wire import NoAnswer, Wire

# Of so many inputs one is not even HTTP.
_RAW_SHARE = 0.03
_SAMPLES = 40


@dataclass
class Outcome:
    """``statuses`` has 0 where the connection was closed without an answer; ``rss`` is by time, in bytes."""

    seed: int
    statuses: Counter[int] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    seconds: float = 0.0
    rss: list[int] = field(default_factory=list)
    logged: int = 0

    @property
    def inputs(self) -> int:
        return self.statuses.total()

    @property
    def growth(self) -> int:
        """Bytes by which the last quarter's least memory is above the second quarter's greatest."""
        quarter = len(self.rss) // 4
        return min(self.rss[3 * quarter :]) - max(self.rss[quarter : 2 * quarter])


def fuzz(service: Service, token: str, inputs: int, seed: int) -> Outcome:
    """Send ``inputs`` requests. What is answered with a 5xx, or not at all, is in ``bad``."""
    outcome, random, known = Outcome(seed), Random(seed), corpus(token)
    process, wire = psutil.Process(service.pid), Wire(urlsplit(service.url).port or 0)
    started = time.perf_counter()
    try:
        for number in range(inputs):
            if number % max(1, inputs // _SAMPLES) == 0:
                outcome.rss.append(process.memory_info().rss)
            _send(wire, random, known, outcome)
    finally:
        wire.close()
    outcome.rss.append(process.memory_info().rss)
    outcome.seconds = time.perf_counter() - started
    outcome.logged = len(service.log)
    outcome.bad += [str(entry) for entry in service.log if entry.get("level") in ("error", "critical")]
    return outcome


def _send(wire: Wire, random: Random, known: list[Request], outcome: Outcome) -> None:
    request = random.choice(known)
    is_raw = random.random() < _RAW_SHARE
    sent = mutate(request.written(), random, ()) if is_raw else mutate_request(request, random, known).written()
    began = time.perf_counter()
    try:
        status = wire.throw(sent) if is_raw else wire.ask(sent)
    except NoAnswer:
        wire.close()
        outcome.bad.append(f"no answer within {time.perf_counter() - began:.0f} s to {sent!r}")
        status = 0
    outcome.slowest_seconds = max(outcome.slowest_seconds, time.perf_counter() - began)
    outcome.statuses[status] += 1
    if status >= 500 or (status == 0 and not is_raw):
        outcome.bad.append(f"{status} to {sent!r}")
