"""How long a sensor waits for its ack, and everyone for the event."""

import http.client
import json
import random
import statistics
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from benchmarks.bench import Bench, Row
from benchmarks.job import Plan, Sent
from benchmarks.peers import Peer, pulso
from benchmarks.rounds import run_name
from benchmarks.sending import Sending, sending
from benchmarks.stored import Bucket, fresh_bucket

# Single events a second, connections, and the goal for the 99th percentile in ms.
_RATES = ((1000, 64, 10.0), (10_000, 512, 25.0))
_FLOW = 10_000
_FLOW_BATCH = 10
_READABLE_SECONDS = 1.0
_POLL_SECONDS = 0.005
_LOST_SECONDS = 30.0


def ack_latency(bench: Bench) -> Iterator[Row]:
    """Single events at a fixed rate, of sensors that one worker knows; a late answer delays no other's planned time."""
    # In a crowd's first second each connection sends its first request, which is a slow one: of five that is a percent.
    seconds = max(1, bench.seconds // 2)
    for rate, connections, goal_ms in _RATES:
        what = f"ack p99 at {rate:,} single events/s for {seconds} s"
        runs = []
        plan = _live("single", rate * seconds, 1, rate)
        with sending(_before(plan)) as first, sending(plan) as sender:
            for number in range(bench.rounds):
                bench.progress(f"{what}: round {number + 1} of {bench.rounds}")
                sent, missed = _paced(bench, (first, sender), connections, rate)
                runs.append(sent)
                if missed:
                    yield Row(what, f"WRONG: {missed:,} are not in InfluxDB, or more than once", "all", met=False)
        yield _acks(what, runs, rate, goal_ms)


def _live(form: str, events: int, batch: int, rate: int) -> Plan:
    """1000 sensors that together send at the rate from now on."""
    plan = Plan(form, events, batch, start_ms=time.time_ns() // 1_000_000)
    return Plan(form, events, batch, start_ms=plan.start_ms, step_ms=max(1, 1000 * plan.sensors // rate))


def _before(plan: Plan) -> Plan:
    """One event of each sensor, a minute earlier: the first one of a sensor is slow, and is so once."""
    return Plan("single", plan.sensors, 1, start_ms=plan.start_ms - 60_000)


def _paced(bench: Bench, senders: tuple[Sending, Sending], connections: int, rate: int) -> tuple[Sent, int]:
    """What became of the second sender's plan, and how many events of both are missed in InfluxDB."""
    with fresh_bucket(bench.influx, run_name(bench)) as bucket, pulso(bench, bucket) as peer:
        first, sent = (sender.send(peer.job("single", connections, rate)) for sender in senders)
        events = first.events + sent.events
        return sent, events - bucket.wait_for(events)[1]


def _acks(what: str, runs: list[Sent], rate: int, goal_ms: float) -> Row:
    p50_ms, p99_ms = (statistics.median(ms) for ms in zip(*((run.p50_ms, run.p99_ms) for run in runs), strict=True))
    held = statistics.median(run.requests / (run.ended - run.started) for run in runs)
    refused = sum(run.refused for run in runs)
    late_ms = statistics.median(run.late_ms for run in runs)
    measured = (
        f"{p99_ms:.1f} ms; p50 {p50_ms:.1f} ms, {max(run.max_ms for run in runs):.0f} ms at most; "
        f"{held:,.0f}/s acked, {refused:,} refused and sent again; sent {late_ms:.1f} ms late at most"
    )
    # A rate that was not held has no latency.
    return Row(what, measured, f"≤ {goal_ms:g} ms", p99_ms <= goal_ms and held >= 0.98 * rate, p99_ms)


def readable(bench: Bench) -> Iterator[Row]:
    """Probes, one after the other among 10 000 events/s, until InfluxDB itself has each in the answer to a query."""
    seconds = max(1, bench.seconds // 2)
    plan = _live("array", _FLOW * (seconds + 1), _FLOW_BATCH, _FLOW)
    with fresh_bucket(bench.influx, run_name(bench)) as bucket, pulso(bench, bucket) as peer, sending(plan) as sender:
        bench.progress(f"probes for {seconds} s")
        sender.start(peer.job("array", 64, _FLOW / _FLOW_BATCH))
        waits = sorted(_Prober(peer, bucket).probe(seconds))
        flowed = sender.wait()
        expected = flowed.events + len(waits)
        counted = bucket.wait_for(expected)[1]
    what = f"event posted → readable in InfluxDB, p99, at {_FLOW:,} events/s"
    if counted != expected:
        yield Row(what, f"WRONG: {counted:,} of {expected:,} are in InfluxDB", "all", met=False)
    p99 = waits[int(len(waits) * 0.99)]
    rate = flowed.events / (flowed.ended - flowed.started)
    measured = f"{p99:.2f} s; median {statistics.median(waits):.2f} s of {len(waits)} probes, at {rate:,.0f} events/s"
    held = rate >= 0.95 * _FLOW
    yield Row(what, measured, f"≤ {_READABLE_SECONDS:g} s", p99 <= _READABLE_SECONDS and held, p99)


class _Prober:
    """Posts an event of a sensor of its own and asks InfluxDB for it, over a connection each."""

    def __init__(self, peer: Peer, bucket: Bucket) -> None:
        self._peer, self._bucket = peer, bucket
        self._ingest = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=60)
        self._influx = http.client.HTTPConnection(bucket.server.url.removeprefix("http://"), timeout=60)
        self._chance = random.Random(3)  # noqa: S311 - any moment of a shipper's rhythm

    def probe(self, seconds: float) -> Iterator[float]:
        """Seconds that each event took. Raises RuntimeError for one that does not come."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            posted, timestamp_ms = time.monotonic(), time.time_ns() // 1_000_000
            self._post(timestamp_ms)
            while not self._found(timestamp_ms):
                if time.monotonic() > posted + _LOST_SECONDS:
                    raise RuntimeError(f"an event was not readable {_LOST_SECONDS:.0f} s after it was posted")
                time.sleep(_POLL_SECONDS)
            yield time.monotonic() - posted
            time.sleep(self._chance.uniform(0.001, 0.1))
        self._ingest.close()
        self._influx.close()

    def _post(self, timestamp_ms: int) -> None:
        event = {"timestamp": timestamp_ms, "tag": "brasil.sul.probe", "valor": "23.5"}
        while True:
            self._ingest.request("POST", "/events", json.dumps(event), {"Content-Type": "application/json"})
            answer = self._ingest.getresponse()
            answer.read()
            if answer.status == http.client.ACCEPTED:
                return

    def _found(self, timestamp_ms: int) -> bool:
        query = f"SELECT value FROM events WHERE sensor = 'probe' AND time >= {timestamp_ms}ms"  # noqa: S608 - a number
        parameters = urlencode({"db": self._bucket.name, "q": query})
        token = {"Authorization": f"Token {self._bucket.server.token}"}
        self._influx.request("GET", f"/query?{parameters}", headers=token)
        (result,) = json.loads(self._influx.getresponse().read())["results"]
        return "series" in result


ALL = (ack_latency, readable)
