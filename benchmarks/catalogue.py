"""Every measurement by its name, and the groups that they are asked for by."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from benchmarks import (
    archive,
    dashboards,
    footprint,
    latency,
    longest,
    measurements,
    overload,
    page,
    scaling,
    throughput,
)
from benchmarks.bench import Bench, Row
from benchmarks.loadgen_limits import loadgen_limits

Measurement = Callable[[Bench], Iterator[Row]]

GROUPS: Final[Mapping[str, Sequence[Measurement]]] = {
    "goals": (*throughput.ALL, *latency.ALL, *footprint.ALL, *longest.ALL),
    "scaling": scaling.ALL,
    "service": (*measurements.ALL, *overload.ALL, *archive.ALL),
    "load": (loadgen_limits,),
    "dashboards": dashboards.ALL,
    "page": page.ALL,
}


class UnknownMeasurementError(Exception):
    """There is no measurement and no group of that name."""


def chosen(names: Sequence[str]) -> Sequence[Measurement]:
    """What ``names`` of groups and measurements stand for, in the groups' order; all for none.

    Raises UnknownMeasurementError.
    """
    everything = {measure.__name__: measure for group in GROUPS.values() for measure in group}
    for name in names:
        if name not in everything and name not in GROUPS:
            raise UnknownMeasurementError(f"there is no measurement and no group {name}")
    wanted = {measure for name in names for measure in GROUPS.get(name, (everything.get(name),))}
    return [measure for measure in everything.values() if not names or measure in wanted]


def described() -> str:
    """The groups and their measurements, with the first line of what each says of itself."""
    lines = []
    for name, measures in GROUPS.items():
        lines.append(f"{name}:")
        for measure in measures:
            said = (inspect.getdoc(measure) or "").partition("\n")[0]
            lines.append(f"  {measure.__name__:24}{said}".rstrip())
    return "\n".join(lines)
