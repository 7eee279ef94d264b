"""What counts must be, from the events themselves: a full scan in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from ingest.event import Event, number
from ingest.rollup.levels import RollupPoint, Tally

Key = tuple[int, tuple[str, ...]]


def tallied(events: Iterable[Event], window_ms: int, key_of: Callable[[Event], tuple[str, ...]]) -> list[RollupPoint]:
    """The rollup of ``events``, each counted once however often it comes, sorted."""
    groups: defaultdict[Key, list[str]] = defaultdict(list)
    for event in set(events):
        groups[event.timestamp_ms - event.timestamp_ms % window_ms, key_of(event)].append(event.valor)
    return in_order(RollupPoint(start_ms, key, _tally(valores)) for (start_ms, key), valores in groups.items())


def by_sensor(event: Event) -> tuple[str, ...]:
    return (*event.tag.split("."), "processado" if event.valor else "erro")


def by_region(event: Event) -> tuple[str, ...]:
    country, region, _, status = by_sensor(event)
    return country, region, status


def in_order(points: Iterable[RollupPoint]) -> list[RollupPoint]:
    return sorted(points, key=lambda point: (point.start_ms, point.tags))


def _tally(valores: list[str]) -> Tally:
    numbers = [value for valor in valores if (value := number(valor)) is not None]
    if not numbers:
        return Tally(len(valores))
    return Tally(len(valores), len(numbers), sum(numbers), min(numbers), max(numbers))
