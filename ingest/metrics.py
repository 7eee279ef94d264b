"""What ``/metrics`` shows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from ingest.latency import Latency
from ingest.tally import Tally

_ACK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_WRITE_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Gauges = Callable[[], dict[str, float]]

_GAUGES = {
    "series": "Sensors, and series and fields of other measurements, that are known",
    "weeks": "Weeks of which points have been kept in front of InfluxDB, or are on their way",
    "spool_points": "Points that wait in the spool",
    "spool_bytes": "Bytes of line protocol that wait in the spool",
    "spool_oldest_age_seconds": "Seconds since the oldest point in the spool arrived",
    "dead_letters": "Lines that InfluxDB refused and that wait for a decision",
    "dead_letter_bytes": "Bytes of those lines and of the reasons",
    "spool_damaged_rows": "Rows of the spool that the disk altered and that are kept apart",
    "spool_files_set_aside": "Damaged files of the spool that were set aside, or were missing, and wait for a look",
    "rollup_dirty_minutes": "Minutes, of a sensor or of all, whose points wait to be counted again",
    "rollup_lag_seconds": "Everything that was stored until so many seconds ago is counted",
    "workers": "Processes that take events",
    "connections": "Connections that are open",
    "requests_at_work": "Writes that were let in and are not answered yet",
    "requests_at_work_limit": "Beyond this a write is refused; it gives way while the service is late",
    "body_bytes_at_work": "Bytes of request bodies in memory, small ones left out",
    "body_bytes_at_work_limit": "At this no more bodies are let in; it gives way while the service is late",
    "archive_files": "Files of the raw archive",
    "archive_bytes": "Bytes of the raw archive's files",
    "archive_waiting_bytes": "Bytes that wait in memory for the raw archive's disk",
    "archive_failing": "1 while the raw archive cannot be written, else 0",
}


@dataclass(frozen=True, slots=True)
class ArchiveMetrics:
    """Counters of the raw archive, where there is one."""

    written: Counter
    missed: Counter
    removed: Counter


@dataclass(frozen=True, slots=True)
class Shed:
    """Counters of what was refused before anything was read of it, each by its reason."""

    requests: Counter
    bytes: Counter
    connections: Counter
    slow: Counter


class Metrics:
    """The service's counters and histograms, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.received = self._tally("events_received", "Events found in request bodies")
        self.accepted = self._tally("events_accepted", "Events that are on disk and were answered with a 2xx")
        self.rejected = self._counter("events_rejected", "Events or bodies that were refused, by reason", "reason")
        self.refused = self._counter(
            "requests_refused", "Requests that were refused before their body was read", "reason", "client"
        )
        self.messages_not_kept = self._counter(
            "refused_messages_not_kept", "Refused messages of a broker that came too many a minute to be kept"
        )
        self.stored = self._counter("events_stored", "Points that the store has")
        self.dead = self._counter("events_dead", "Points that InfluxDB refused for good and that became dead letters")
        self.retries = self._counter(
            "store_retries", "Writes to the store that have to be sent again, by status", "status"
        )
        self.ack_seconds = self._latency("ack", "From a request's head to its events being on disk", _ACK_BUCKETS)
        self.write_seconds = self._latency("store_write", "One write to the store", _WRITE_BUCKETS)

    def shed(self) -> Shed:
        """The counters of what is refused for want of capacity, shown from now on."""
        counter = self._counter("shed", "Requests and connections refused or cut for want of capacity", "reason")
        return Shed(*(counter.labels(reason) for reason in ("requests", "bytes", "connections", "slow")))

    def not_shown(self) -> Counter:
        """The counter of what a worker could not show in time, shown from now on."""
        return self._counter("live_events_not_shown", "Events that are kept, and came too fast to be shown live")

    def archive(self) -> ArchiveMetrics:
        """The raw archive's counters, shown from now on."""
        return ArchiveMetrics(
            written=self._counter("archive_events", "Events that are in the raw archive, by status", "status"),
            missed=self._counter(
                "archive_missed_events", "Events that are kept, but that the raw archive had no room for", "reason"
            ),
            removed=self._counter("archive_removed_bytes", "What the raw archive's retention has removed"),
        )

    def watch(self, gauges: Gauges) -> None:
        """Ask ``gauges`` for the current values at every scrape; its names are the ones described here."""
        self._registry.register(_GaugeCollector(gauges))

    def watch_tokens(self, last_used: Gauges) -> None:
        """Ask ``last_used`` at every scrape when each token was used last, in Unix seconds, by its name."""
        self._registry.register(_LastUsed(last_used))

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now."""
        return iter(self._registry.collect())

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, namespace="ingest", registry=self._registry)

    def _tally(self, name: str, help_text: str) -> Tally:
        tally = Tally(f"ingest_{name}", help_text)
        self._registry.register(tally)
        return tally

    def _latency(self, name: str, help_text: str, buckets: tuple[float, ...]) -> Latency:
        latency = Latency(f"ingest_{name}", help_text, buckets)
        self._registry.register(latency)
        return latency


class _LastUsed(Collector):
    def __init__(self, last_used: Gauges) -> None:
        self._last_used = last_used

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "ingest_token_last_used_timestamp_seconds", "When a token was used last; 0: not yet", labels=["client"]
        )
        for name, seconds in self._last_used().items():
            family.add_metric([name], seconds)
        yield family


class _GaugeCollector(Collector):
    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for name, value in self._gauges().items():
            yield GaugeMetricFamily(f"ingest_{name}", _GAUGES[name], value=value)
