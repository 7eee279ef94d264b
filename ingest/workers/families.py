"""The metrics of several processes as those of one."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from prometheus_client.core import Metric

# Each of several knows the same ones, or is as old or as slow as the oldest or slowest part of it. All others add up.
_HIGHEST = frozenset(
    {
        "ingest_series",
        "ingest_weeks",
        "ingest_spool_oldest_age_seconds",
        "ingest_rollup_lag_seconds",
        "ingest_archive_failing",
        "ingest_ack_recent_seconds",
        "ingest_store_write_recent_seconds",
        "ingest_token_last_used_timestamp_seconds",
    }
)
_GROWING = ("counter", "histogram")


class Sample(msgspec.Struct, frozen=True):
    """A value; ``labels`` in their order."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Family(msgspec.Struct, frozen=True):
    """A metric with all its samples."""

    name: str
    kind: str
    help: str
    samples: list[Sample]


def families_of(metrics: Iterable[Metric]) -> list[Family]:
    """What is collected now, in a form that another process can be sent."""
    return [
        Family(
            metric.name,
            metric.type,
            metric.documentation,
            [Sample(sample.name, tuple(sample.labels.items()), sample.value) for sample in metric.samples],
        )
        for metric in metrics
    ]


def together(several: Iterable[Sequence[Family]]) -> list[Family]:
    """Each sample once: the sum of it, or the highest."""
    found: dict[str, Family] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for families in several:
        for family in families:
            found.setdefault(family.name, family)
            joined = values.setdefault(family.name, {})
            highest = family.name in _HIGHEST
            for sample in family.samples:
                key = sample.name, sample.labels
                before = joined.get(key, 0.0)
                joined[key] = max(before, sample.value) if highest else before + sample.value
    return [
        Family(family.name, family.kind, family.help, [Sample(*key, value) for key, value in values[name].items()])
        for name, family in found.items()
    ]


def growing(families: Sequence[Family]) -> list[Family]:
    """Those that only ever grow: what a process that has ended has counted stays counted."""
    return [family for family in families if family.kind in _GROWING]


class Collected:
    """``families`` as prometheus_client writes them out."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.help, family.kind)
            for sample in family.samples:
                metric.add_sample(sample.name, dict(sample.labels), sample.value)
            yield metric
