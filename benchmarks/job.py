"""What a sender is told, and what it tells: JSON between two processes."""

import msgspec

from benchmarks.events import SENSORS, START_MS


class Plan(msgspec.Struct, frozen=True):
    """Which events, and how many of them a request."""

    form: str
    events: int
    batch: int = 1
    sensors: int = SENSORS
    first: int = 0
    start_ms: int = START_MS
    step_ms: int = 1000


class Job(msgspec.Struct, frozen=True):
    """Where to, over how many connections; ``rate`` is in requests a second, 0 is as fast as the answers come."""

    port: int
    path: str
    connections: int
    rate: float = 0.0
    headers: dict[str, str] = {}


class Sent(msgspec.Struct, frozen=True):
    """What came of a job. Times are time.monotonic()'s, which all processes share; latencies count from the plan.

    ``refused`` counts answers 429 and 503: what they refused was sent again. ``late_ms`` is the most that a request
    was sent after its planned time, by the sender's fault or for want of a free connection.
    """

    events: int
    requests: int
    refused: int
    started: float
    ended: float
    cpu_seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    late_ms: float
